import type { NamedRecord } from "@snap/snapshot/record";
import type { RecordSource } from "@snap/snapshot/resolve-snapshot";
import type { Session } from "./session.ts";

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
      await resolveSnapshot(snapshots, bare, { ...options, host, source })
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
