import type { ObjectSource, SideIds } from "@snap/snapshot/query";
import type { Snapshots } from "@snap/snapshot";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { identifyDirectory } from "./identify_directory.ts";
import type { CommandSnapshots } from "./open_snapshots.ts";
import { isDirectory, isPath } from "./is_path.ts";
import { openTarget } from "./open_target.ts";
import type { Session } from "../session.ts";

/** A directory, of a snapshot or of the disk. */
export interface Side {
  /** Reader of its trees and pages. */
  readonly objects: ObjectSource;
  /** Its tree and page. */
  readonly ids: Required<SideIds>;
  /** Whether all of it could be read. */
  readonly exitCode: number;
  /** Paths of sockets, which no tree has. */
  readonly sockets: readonly Uint8Array[];
}

/** Opens the store, at most once. */
export type UseStore = () => Promise<Snapshots>;

/**
 * Opens `ID`, `ID:PATH` or a directory. What has a slash before any colon, `.`
 * and `..` are directories; other names are snapshots first.
 *
 * @throws {SnapshotNotFoundError} If there is neither such a snapshot nor such a directory.
 */
export async function openSide(
  session: Session,
  text: string,
  useStore: UseStore,
): Promise<Side> {
  if (isPath(text)) return await openDirectory(session, text);
  try {
    return await storeSide(session, text, useStore);
  } catch (error) {
    const isUnknown = error instanceof Error &&
      ["SnapshotNotFoundError", "NotAStoreError"].includes(error.name);
    if (isUnknown && await isDirectory(session, text)) {
      return await openDirectory(session, text);
    }
    throw error;
  }
}

/** Opens a directory of the disk: reads and hashes all of it. */
export async function openDirectory(
  session: Session,
  text: string,
): Promise<Side> {
  const sockets: Uint8Array[] = [];
  const { identified, exitCode } = await identifyDirectory(session, text, {
    keepTrees: true,
    onSocket: (path) => sockets.push(path),
  });
  const ids = { tree: identified.id, page: identified.page };
  return { objects: identified, ids, exitCode, sockets };
}

async function storeSide(
  session: Session,
  text: string,
  useStore: UseStore,
): Promise<Side> {
  const snapshots = await useStore();
  const { entry, record } = await openTarget(session, snapshots, text);
  const objects = await snapshots.reader();
  const rest = { objects, exitCode: ExitCode.done, sockets: [] };
  if (entry.path.length === 0) {
    return { ...rest, ids: { tree: record.tree, page: record.page } };
  }
  if (entry.pageId === undefined) {
    throw new CommandError(
      `Cannot use ${JSON.stringify(text)}: it is no directory`,
    );
  }
  return { ...rest, ids: { tree: entry.id, page: entry.pageId } };
}

/** Does something for which a store may be needed, and closes it. */
export async function withStoreIfNeeded<T>(
  session: Session,
  use: (useStore: UseStore) => Promise<T>,
): Promise<T> {
  const { openCommandSnapshots } = await import("./open_snapshots.ts");
  let opening: Promise<CommandSnapshots> | undefined;
  try {
    return await use(async () =>
      (await (opening ??= openCommandSnapshots(session))).snapshots
    );
  } finally {
    await (await opening?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}
