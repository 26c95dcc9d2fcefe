import { type Mount, mount, type MountOptions, unmount } from "@snap/fuse";
import { mountOverlay, type OverlayFolder } from "@snap/fuse/overlay";
import type { NamedRecord } from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";
import type { WriteStore } from "@snap/store";
import { realpath } from "node:fs/promises";
import { CommandError } from "../command_error.ts";
import { resolveRecord } from "../snapshots/resolve_record.ts";
import type { Session } from "../session.ts";
import type { OpenedStore } from "../stores/opened_store.ts";
import { openWritableFolder } from "./writable_folder.ts";

/** A snapshot that can be written to. */
export interface WritableMount {
  /** The mount of the snapshot below. */
  readonly mount: Mount;
  /** Where both are seen together. */
  readonly mountpoint: string;
  readonly record: NamedRecord;
  /** Where what is written goes. */
  readonly folder: OverlayFolder;
  /** Ends both; where they are in use they go out of sight. */
  readonly unmount: () => Promise<void>;
}

/** What {@linkcode mountWritable} mounts. */
export interface WritableMountParts {
  readonly snapshots: Snapshots<WriteStore>;
  readonly opened: OpenedStore;
  /** The snapshot, as the user wrote it. */
  readonly target: string;
  readonly mountpoint: string;
  /** Options of the mount below; its mount point is in the folder. */
  readonly options: MountOptions;
}

/**
 * Mounts a snapshot, and an overlay over it that can be written to.
 *
 * @throws {MountError} If one of them cannot be mounted.
 * @throws {CommandError} If something else was written there, and is not saved.
 */
export async function mountWritable(
  session: Session,
  { snapshots, opened, target, options, ...parts }: WritableMountParts,
): Promise<WritableMount> {
  const record = await findWhole(session, snapshots, target);
  // An absent one is told of by the mount.
  const at = await realpath(parts.mountpoint).catch(() => parts.mountpoint);
  const { location } = opened;
  const folder = await openWritableFolder(session, at, {
    record,
    location,
    onResume: (count) =>
      options.onLog?.({
        level: "warning",
        message: `Goes on with what was written here before: ${count}`,
      }),
  });
  const below = await mount(snapshots.store, record, {
    ...options,
    mountpoint: folder.lower,
  });
  try {
    const mountpoint = await mountOverlay(folder, at, below.source);
    return {
      ...{ mount: below, mountpoint, record, folder },
      async unmount() {
        await unmount(mountpoint, { lazy: true });
        await below.finished;
      },
    };
  } catch (error) {
    await below.abort();
    if (await folder.isEmpty()) await folder.remove();
    throw error;
  }
}

/**
 * Finds the snapshot: what is saved in the end is the difference to a whole one.
 *
 * @throws {CommandError} If a part of one is meant.
 */
export async function findWhole(
  session: Session,
  snapshots: Snapshots,
  target: string,
): Promise<NamedRecord> {
  const { parseTarget } = await import("@snap/snapshot/records");
  const { snapshot, path = "" } = parseTarget(target);
  if (/^\/*$/.test(path)) {
    return await resolveRecord(session, snapshots, snapshot);
  }
  throw new CommandError(
    `Cannot write to ${JSON.stringify(target)}: it is a part of a snapshot`,
    "the whole snapshot can be written to",
  );
}
