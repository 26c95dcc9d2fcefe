import { StoreError, type WriteStore } from "@snap/store";
import { TagStore } from "@snap/store/format";
import { type NamedRecord, orderRecords } from "@snap/snapshot/records";
import type { SaveOptions } from "./options.ts";
import type { Snapshots } from "@snap/snapshot";

/** Options of {@linkcode recordsOfSource}. */
export interface RecordsOfSourceOptions
  extends Pick<SaveOptions, "memory" | "onDamage" | "signal"> {
  /** Save ids whose records do not count, where somebody lists them anyway. */
  readonly voidSaves: Promise<ReadonlySet<string>> | undefined;
  readonly host: string;
  /** The source as it stands in records. */
  readonly sourceText: string;
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Reads the records of a host and source that a save may be compared with.
 *
 * @param snapshots The store.
 * @param options The host and the source; who is told of records that are passed over.
 * @returns Those that are not later than now, the last saved first.
 * @throws {StoreError} If the store fails.
 */
export async function recordsOfSource(
  snapshots: Snapshots<WriteStore>,
  options: RecordsOfSourceOptions,
): Promise<readonly NamedRecord[]> {
  const { memory, onDamage, voidSaves, signal } = options;
  let failure: StoreError | undefined;
  const reading = snapshots.records({
    signal,
    ...(voidSaves === undefined ? {} : { voidSaves }),
    ...(memory && { known: memory.records }),
    onDamage: (name, error) => {
      // That a store fails is no damage: a save that goes on would read everything.
      if (error instanceof StoreError && error.code !== "SHORT") {
        failure ??= error;
      } else onDamage?.(`record ${name.record}`, error);
    },
  });
  // Beside them: from afar each list takes its time.
  const listing = new TagStore(snapshots.store).logs({ signal });
  await Promise.allSettled([reading, listing]); // Whoever started work waits for its end.
  const [records, logs] = await Promise.all([reading, listing]);
  if (failure !== undefined) throw failure;
  // Those that were forgotten are kept no longer than the others.
  const known = memory?.records;
  if (known !== undefined && known.size > 2 * records.length) known.clear();
  const ordered = await orderRecords(
    snapshots,
    records.filter((record) =>
      record.host === options.host && record.source === options.sourceText
    ),
    // The clock is read last: what was saved meanwhile is not later than now.
    { signal, ms: options.now(), logs, isFirstEnough: true },
  );
  for (const { record, time } of ordered.later) {
    const reason = `its time, ${time}, is later than now`;
    onDamage?.(`record ${record}`, new RangeError(reason));
  }
  return ordered.past;
}
