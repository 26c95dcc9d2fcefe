import type { MountRoot } from "@snap/fuse";
import { type NamedRecord, parseTarget } from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";
import { CommandError } from "../command_error.ts";
import { openTarget } from "../snapshots/open_target.ts";
import { resolveRecord } from "../snapshots/resolve_record.ts";
import type { Session } from "../session.ts";

/** Root of a mount, and the record that it is from. */
export interface FoundRoot {
  readonly record: NamedRecord;
  /** The directory. */
  readonly root: MountRoot;
}

/**
 * Finds the directory that `ID[:PATH]` names.
 *
 * @throws {CommandError} If there is no such entry, or it is no directory.
 */
export async function findRoot(
  session: Session,
  snapshots: Snapshots,
  text: string,
): Promise<FoundRoot> {
  const { snapshot, path = "" } = parseTarget(text);
  if (/^\/*$/.test(path)) {
    const record = await resolveRecord(session, snapshots, snapshot);
    return { record, root: record };
  }
  const { record, entry } = await openTarget(session, snapshots, text);
  if (entry.pageId === undefined) {
    throw new CommandError(
      `Cannot mount ${JSON.stringify(text)}: it is no directory`,
    );
  }
  const { totals } = record;
  const root = {
    tree: entry.id,
    page: entry.pageId,
    totals,
  };
  return { record, root };
}
