import type { Id } from "@snap/hash";
import type { StoreOptions, WriteStore } from "@snap/store";
import { TagStore } from "@snap/store/format";
import { formatTime } from "@snap/manifest/time";
import { type NamedRecord, parseTime } from "./record.ts";
import type { TagSource } from "./tags.ts";

/** Records, apart by whether their time can be. */
export interface OrderedRecords {
  /** Records that are not later than now, the last saved first. */
  readonly past: readonly NamedRecord[];
  /** Records of a clock that was ahead, newest first. */
  readonly later: readonly NamedRecord[];
}

/**
 * Tells records that cannot be from now on apart: a clock was ahead once, and
 * they would be the newest for years.
 *
 * @param records The records, newest first.
 * @param ms What the clock says, in milliseconds since 1970.
 * @returns Both parts, newest first.
 */
export function partLater(
  records: readonly NamedRecord[],
  ms: number,
): OrderedRecords {
  const now = formatTime(Math.floor(ms / 1000), ms % 1000 * 1_000_000);
  return {
    past: records.filter((one) => one.time <= now),
    later: records.filter((one) => one.time > now),
  };
}

/** A record is tagged by a clock that may be behind that of the record, in seconds. */
const APART_SEC = 24 * 3600;

/** Options of {@linkcode orderRecords}. */
export interface OrderRecordsOptions extends StoreOptions {
  /** The time of the clock, in milliseconds since 1970. */
  readonly ms: number;
  /** The tags and the numbers of the slots of each, where they were listed already. */
  readonly logs?: ReadonlyMap<string, readonly number[]>;
  /** Whether only the first is wanted; the order of the others is then by time. */
  readonly isFirstEnough?: boolean;
}

/**
 * Puts the records of a store in the order in which they were saved. Times say
 * it, but for what the log of a tag knows better: who saves and tags in one run
 * adds to the end of the log, whatever the clock says.
 *
 * @param snapshots Where the tags are.
 * @param records The records, newest first.
 * @param options The clock, what ends the wait.
 * @returns The records that are not later than now, the last saved first, and the others.
 * @throws {StoreError} If the store fails.
 */
export async function orderRecords(
  snapshots: TagSource,
  records: readonly NamedRecord[],
  options: OrderRecordsOptions,
): Promise<OrderedRecords> {
  const { past, later } = partLater(records, options.ms);
  if (past.length < 2) return { past, later };
  const chains = await chainsOf(snapshots, past, options);
  const moments = new Map<NamedRecord, Moment>(
    past.map((record) => [record, { time: record.time, step: 0 }]),
  );
  // A record may stand in several logs: each pass carries what the others have moved.
  for (let pass = 0, isMoved = true; isMoved && pass < chains.length; pass++) {
    isMoved = chains.map((chain) => moveBehind(chain, moments)).includes(true);
  }
  return {
    // Stable: of one moment the order of `records` stays.
    past: [...past].sort((a, b) => compare(moments.get(b)!, moments.get(a)!)),
    later,
  };
}

/** When a record was saved: as it says, or as many steps after the one before it. */
interface Moment {
  readonly time: string;
  readonly step: number;
}

/** Moves what a log has behind another behind it; whether anything had to. */
function moveBehind(
  chain: readonly NamedRecord[],
  moments: Map<NamedRecord, Moment>,
): boolean {
  let isMoved = false;
  for (let i = 1; i < chain.length; i++) {
    const before = moments.get(chain[i - 1])!;
    if (compare(moments.get(chain[i])!, before) > 0) continue;
    moments.set(chain[i], { time: before.time, step: before.step + 1 });
    isMoved = true;
  }
  return isMoved;
}

function compare(a: Moment, b: Moment): number {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  return a.step - b.step;
}

/** For each tag the records whose own run has tagged them, the first saved first. */
async function chainsOf(
  { store }: TagSource,
  records: readonly NamedRecord[],
  options: OrderRecordsOptions,
): Promise<NamedRecord[][]> {
  const byId = new Map<string, NamedRecord>(
    records.map((record): [Id, NamedRecord] => [record.record, record]),
  );
  // Only what reads is called.
  const tags = new TagStore(store as WriteStore);
  const chains: NamedRecord[][] = [];
  const { signal, isFirstEnough = false } = options;
  const { sec, ns } = parseTime(records[0].time);
  const old = formatTime(sec - APART_SEC, ns);
  for (const [tag, numbers] of options.logs ?? await tags.logs(options)) {
    if (numbers.length < 2) continue;
    const chain: NamedRecord[] = [];
    for await (const batch of tags.entries(tag, { signal, numbers })) {
      for (const slot of batch) {
        if (slot.damage !== undefined) continue;
        const record = byId.get(slot.entry.record);
        // A tag may be moved back on purpose: only the run that saved knows that it is the last.
        if (record?.saveId === slot.entry.saveId) chain.push(record);
      }
      if (!isFirstEnough) continue;
      // What comes now came before the newest record: times of a log only grow.
      const isOlder = batch.some((slot) =>
        slot.damage === undefined && slot.entry.time < old
      );
      if (isOlder || chain.includes(records[0])) break;
    }
    if (chain.length > 1) chains.push(chain.reverse());
  }
  return chains;
}
