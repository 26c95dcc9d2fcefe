import { readMountTable, upperOf } from "@snap/fuse";
import { OverlayFolder } from "@snap/fuse/overlay";
import type { NamedRecord } from "@snap/snapshot/records";
import { readdir, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { resolvePath } from "../arguments/resolve_path.ts";
import { CommandError } from "../command_error.ts";
import { COMMAND } from "../product.ts";
import type { Session } from "../session.ts";
import { formatCounted } from "../terminal/units.ts";

/** A name of a file has no more bytes. */
const NAME_SIZE_MAX = 255;
/** Entries that are counted; more are "more than". */
const COUNT_MAX = 100_000;

/** A folder with what was written, and whether it can be written to now. */
export interface FoundFolder {
  readonly folder: OverlayFolder;
  readonly isMounted: boolean;
}

/**
 * Opens the folder in which is kept what is written to a mount, or makes it. What
 * was written before to the same snapshot at the same place is there again.
 *
 * @param mountpoint An absolute path without links.
 * @throws {CommandError} If it holds what was written to another snapshot.
 */
export async function openWritableFolder(
  session: Session,
  mountpoint: string,
  { record, location, onResume }: {
    readonly record: NamedRecord;
    /** Where the store lies. */
    readonly location: string;
    /** Told how much was written before. */
    readonly onResume: (count: string) => void;
  },
): Promise<OverlayFolder> {
  const path = await folderPath(session, mountpoint);
  const folder = await OverlayFolder.open(path);
  if (folder === undefined) return await create(path);
  const { id, record: name } = folder.notes;
  const isEmpty = await folder.isEmpty();
  if (isEmpty && (id !== record.tree || name !== record.record)) {
    await folder.remove();
    return await create(path);
  }
  if (id === record.tree && name === record.record) {
    if (!isEmpty) onResume(await countWritten(folder));
    return folder;
  }
  throw new CommandError(
    `Cannot mount on ${mountpoint}: what was written there to ${
      id.slice(0, 12)
    } is not saved`,
    `${COMMAND} commit ${mountpoint} saves it, ${COMMAND} umount --discard ${mountpoint} drops it`,
  );

  function create(path: string): Promise<OverlayFolder> {
    return OverlayFolder.create(path, {
      ...{ id: record.tree, record: record.record },
      ...{ store: location, mountpoint },
    });
  }
}

/**
 * Finds the folder of a mount point, also when nothing is mounted there any more.
 *
 * @param path The mount point, or the folder itself.
 * @returns The folder; `undefined` if nothing was mounted writable there.
 */
export async function findWritableFolder(
  session: Session,
  path: string,
): Promise<FoundFolder | undefined> {
  const mountpoint = await realpath(path).catch(() => path);
  const table = readMountTable();
  const upper = table.findLast((one) =>
    one.mountpoint === mountpoint && upperOf(one) !== undefined
  );
  const there = upper === undefined ? mountpoint : dirname(upperOf(upper)!);
  const folder = await OverlayFolder.open(there) ??
    await OverlayFolder.open(await folderPath(session, mountpoint));
  return folder && {
    folder,
    isMounted: table.some((one) => upperOf(one) === folder.upper),
  };
}

/** Says in words how many entries were written, whiteouts too. */
export async function countWritten(folder: OverlayFolder): Promise<string> {
  let count = 0;
  const waiting = [folder.upper];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (count > COUNT_MAX) return `more than ${COUNT_MAX} entries`;
    // What cannot be listed counts as one entry.
    const entries = await readdir(at, { withFileTypes: true }).catch(() => []);
    count += entries.length;
    for (const one of entries) {
      if (one.isDirectory()) waiting.push(`${at}/${one.name}`);
    }
  }
  return formatCounted(count, "entry", "entries");
}

/** The folder that was asked for, or one of the user's own, named for the mount point. */
async function folderPath(
  session: Session,
  mountpoint: string,
): Promise<string> {
  const { args, context } = session;
  const asked = args.text("upper");
  if (asked !== undefined) return await resolvePath(session, asked);
  // A plus is a slash: none of the path is left.
  const name = encodeURIComponent(mountpoint).replaceAll("%2F", "+");
  const home = context.env("HOME");
  const state = context.env("XDG_STATE_HOME");
  const folder = state?.startsWith("/")
    ? state
    : home && `${home}/.local/state`;
  if (!folder || name.length > NAME_SIZE_MAX) {
    throw new CommandError(
      `Cannot keep what is written to ${mountpoint}: ${
        folder ? "its path is too long to name a folder" : "HOME is not set"
      }`,
      "--upper DIR names a folder for it",
    );
  }
  return `${folder}/snap/overlays/${name}`;
}
