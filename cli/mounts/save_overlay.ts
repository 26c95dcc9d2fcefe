import type { OverlayFolder } from "@snap/fuse/overlay";
import type { SaveResult } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import type { PruneStore } from "@snap/store";
import type { NamedRecord, RecordName } from "@snap/snapshot/records";
import { CommandError } from "../command_error.ts";
import type { Session } from "../session.ts";
import { saveOptions, tagSaved } from "../commands/save.ts";
import type { OpenedStore } from "../stores/opened_store.ts";
import { renewListing } from "../stores/renew_listing.ts";

/** A save of what was written to a mount. */
export interface OverlaySave {
  /** The store of the command. */
  readonly snapshots: Snapshots<PruneStore>;
  readonly opened: OpenedStore;
  readonly folder: OverlayFolder;
  /** The tag that is to name the snapshot. */
  readonly tag: string | undefined;
}

/**
 * Saves what was written to a mount over the snapshot below it. All of it: what a
 * `.snapignore` names, too, as the snapshot below has been chosen already.
 *
 * @throws {CommandError} If the store does not have the snapshot below.
 */
export async function saveOverlay(
  session: Session,
  { snapshots, opened, folder, tag }: OverlaySave,
): Promise<SaveResult> {
  const { IgnoreRules } = await import("@snap/disk/ignore");
  const { save } = await import("@snap/save");
  const lower = await findLower(folder, snapshots);
  const result = await save(snapshots, folder.upper, {
    ...await saveOptions(session),
    ignore: new IgnoreRules({ fileName: "" }),
    oneFileSystem: true,
    overlay: { lower, mountpoint: folder.notes.mountpoint },
  });
  session.clearProgress();
  await tagSaved(session, snapshots, result, tag);
  await renewListing(session, opened);
  return result;
}

async function findLower(
  { notes }: OverlayFolder,
  snapshots: Snapshots,
): Promise<NamedRecord> {
  const { id, record, store } = notes;
  const { findRecord } = await import("@snap/snapshot/records");
  try {
    return await findRecord(
      snapshots.store,
      { tree: id, record } as RecordName,
      snapshots,
    );
  } catch (error) {
    if ((error as Error).name !== "NotFoundError") throw error;
    throw new CommandError(
      `Cannot commit over ${id}: the store has no such snapshot`,
      `it was mounted from ${store}: --store names that, unless it was forgotten there`,
    );
  }
}
