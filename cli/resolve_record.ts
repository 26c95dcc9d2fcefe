import type { NamedRecord } from "@snap/snapshot/record";
import type { RecordSource } from "@snap/snapshot/resolve-snapshot";
import type { Session } from "./session.ts";
import { formatCount } from "./units.ts";

/**
 * Finds the record that a text names. `latest` is the newest one of this host:
 * of the user's folder if that was ever saved, else of any. With `--any` hosts
 * and folders do not matter.
 *
 * @param session The command.
 * @param snapshots The store.
 * @param text What the user wrote.
 * @returns The record.
 * @throws {SnapshotNotFoundError} If nothing has this name.
 * @throws {AmbiguousIdError} If several ids begin like this.
 */
export async function resolveRecord(
  session: Session,
  snapshots: RecordSource,
  text: string,
): Promise<NamedRecord> {
  const { resolveSnapshot } = await import("@snap/snapshot/resolve-snapshot");
  const options = {
    signal: session.signal,
    onLater: (records: readonly NamedRecord[], isTaken: boolean): void =>
      tellLater(session, records, isTaken),
    onDamage: ({ record }: { record: string }, error: unknown): void => {
      const reason = error instanceof Error ? error.message : String(error);
      session.warn(`Cannot use record ${record}, and pass it over: ${reason}`);
    },
  };
  const host = session.context.hostname?.();
  if (
    !/^latest(~|$)/.test(text) || session.args.has("any") || host === undefined
  ) return await resolveSnapshot(snapshots, text, options);
  const { pathToText } = await import("@snap/manifest/path");
  const source = pathToText(new TextEncoder().encode(session.context.cwd));
  let record: NamedRecord;
  try {
    record = await resolveSnapshot(snapshots, text, {
      ...options,
      host,
      source,
    });
  } catch (error) {
    if ((error as Error).name !== "SnapshotNotFoundError") throw error;
    // A folder that was saved, but not often enough, is still the one meant.
    const bare = text.replace(/~.*/, "");
    const isKnown = bare !== text &&
      await resolveSnapshot(snapshots, bare, {
        ...options,
        host,
        source,
        onLater: undefined,
      })
        .then(() => true, () => false);
    if (isKnown) throw error;
    record = await resolveSnapshot(snapshots, text, { ...options, host });
  }
  session.note(
    `${text} is ${
      record.tree.slice(0, 12)
    } of ${record.source}, ${record.time}`,
  );
  return record;
}

/** Says each time that a clock was wrong: such a record would be the newest for years. */
function tellLater(
  session: Session,
  records: readonly NamedRecord[],
  isTaken: boolean,
): void {
  const { tree, record, time } = records[0];
  const more = records.length > 1
    ? `, and ${formatCount(records.length - 1)} more`
    : "";
  session.warn(
    isTaken
      ? `Took ${
        tree.slice(0, 12)
      } as there is no other: its time, ${time}, is later than now`
      : `Passed over record ${
        record.slice(0, 12)
      } as its time, ${time}, is later than now${more}`,
  );
}
