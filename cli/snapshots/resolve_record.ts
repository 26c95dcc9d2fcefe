import type { NamedRecord, RecordSource } from "@snap/snapshot/records";
import type { Session } from "../session.ts";
import { formatCount, formatLocalTime } from "../terminal/units.ts";

/**
 * Finds the record that a text names. `latest` is the newest one of this host:
 * of the user's folder, or of the nearest one above it that was ever saved, else of
 * any. With `--any` hosts and folders do not matter.
 *
 * @throws {SnapshotNotFoundError} If nothing has this name.
 * @throws {AmbiguousIdError} If several ids begin like this.
 */
export async function resolveRecord(
  session: Session,
  snapshots: RecordSource,
  text: string,
): Promise<NamedRecord> {
  const { resolveSnapshot } = await import("@snap/snapshot/records");
  const options = {
    signal: session.signal,
    onLater: (records: readonly NamedRecord[], isTaken: boolean): void =>
      tellLater(session, records, isTaken),
    onDamage: ({ record }: { record: string }, error: unknown): void => {
      const reason = error instanceof Error ? error.message : String(error);
      session.warn(`Cannot use record ${record}, and pass it over: ${reason}`);
    },
    onShadow: (tag: string, ids: readonly string[]): void =>
      session.warn(
        `Tag ${tag} goes before the ids that begin like it, such as ${
          ids[0].slice(0, 12)
        }`,
      ),
  };
  const host = session.context.hostname?.();
  const isLatest = /^latest(~|$)/.test(text);
  if (!isLatest || session.args.has("any") || host === undefined) {
    const record = await resolveSnapshot(snapshots, text, options);
    if (isLatest) tellLatest(session, text, record);
    return record;
  }
  const { pathToText } = await import("@snap/manifest/path");
  const folder = pathToText(new TextEncoder().encode(session.context.cwd));
  const record = await resolveSnapshot(snapshots, text, {
    ...options,
    host,
    folder,
  });
  tellLatest(session, text, record);
  return record;
}

/** Tells which snapshot `latest` is, since that depends on host and folder. */
function tellLatest(
  session: Session,
  text: string,
  record: NamedRecord,
): void {
  const { tree, host, source } = record;
  const own = session.context.hostname?.();
  const where = host === own ? "" : ` on ${host}`;
  const when = timeOf(session, record);
  session.say(`${text} is ${tree.slice(0, 12)} of ${source}${where}, ${when}`);
}

/** Local where a person watches, else exact. */
function timeOf({ isWatched }: Session, { time }: NamedRecord): string {
  return isWatched ? formatLocalTime(time) : time;
}

/** Says each time that a clock was wrong: such a record would be the newest for years. */
function tellLater(
  session: Session,
  records: readonly NamedRecord[],
  isTaken: boolean,
): void {
  const { tree, record } = records[0];
  const time = timeOf(session, records[0]);
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

/** Says of a tag that was just set whether ids begin like it. */
export async function tellShadowed(
  session: Session,
  snapshots: RecordSource,
  tag: string,
): Promise<void> {
  if (/^[0-9a-f]{4,}$/i.test(tag)) await resolveRecord(session, snapshots, tag);
}
