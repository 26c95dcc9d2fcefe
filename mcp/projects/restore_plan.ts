/**
 * What a restore is going to change, and what forbids it.
 *
 * @module
 */
import { DiskError } from "@snap/disk";
import type { Target, TargetDirectory } from "@snap/disk/target";
import { type Change, diffTrees } from "@snap/manifest/diff";
import type { EntryRow } from "@snap/manifest";
import { EntryKind } from "@snap/manifest/extras";
import { Pacer } from "@snap/posix/pacer";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import { CHANGES_MAX } from "../limits.ts";
import { ToolError } from "../tool_error.ts";

const SLASH = 0x2f;
/** What a look at an entry of the disk costs, in bytes read. */
const LOOK_COST = 32 * 1024;

/** A directory, in a snapshot or named, as a side of a comparison. */
type Side = NonNullable<Parameters<typeof diffTrees>[0]>;

/**
 * Finds out what a restore is going to change.
 *
 * @param before The directory as it was just saved, or named.
 * @param after The snapshot.
 * @param path Where changes count: there and below; empty for all.
 * @returns The changes, in the order of a walk.
 * @throws {ToolError} If there are too many.
 */
export async function planChanges(
  before: Side,
  after: Side,
  { path, signal }: {
    readonly path: Uint8Array;
    readonly signal: AbortSignal;
  },
): Promise<Change[]> {
  const changes: Change[] = [];
  for await (const batch of diffTrees(before, after, { signal })) {
    changes.push(...batch.filter((one) => isAtOrBelow(one.path, path)));
    if (changes.length > CHANGES_MAX) {
      throw new ToolError(
        `Cannot restore: it would change more than ${CHANGES_MAX} entries`,
        "the command restore does so",
      );
    }
  }
  return changes;
}

/** Why a change would destroy something. */
export type ConflictReason = "unsaved" | "changed";

/** An entry of the disk that the snapshot of before does not hold. */
export interface Conflict {
  readonly path: Uint8Array;
  /** `unsaved`: it is left out of snapshots, or could not be read; `changed`: since it was saved. */
  readonly reason: ConflictReason;
}

/**
 * Looks at everything that a restore is going to replace or remove: each has to be what the
 * snapshot of before holds.
 *
 * @param target The directory.
 * @returns What is not, in the order of a walk.
 */
export async function findConflicts(
  target: Target,
  changes: readonly Change[],
  { signal }: { readonly signal: AbortSignal },
): Promise<Conflict[]> {
  const conflicts: Conflict[] = [];
  const pacer = new Pacer({ signal });
  for (const change of changes) {
    const reason = conflictOf(target, change);
    if (reason !== undefined) conflicts.push({ path: change.path, reason });
    const turn = pacer.yield(LOOK_COST);
    if (turn !== undefined) await turn;
  }
  return conflicts;
}

function conflictOf(
  target: Target,
  { path, before, after }: Change,
): ConflictReason | undefined {
  if (path.length === 0) return undefined;
  const stats = new StatTable(1);
  if (!statAt(target, path, stats)) return undefined;
  if (before !== undefined) {
    return isAsSaved(stats, before) ? undefined : "changed";
  }
  // A directory that is there already is entered, and nothing in it goes.
  const isEntered = (stats.mode(0) & S_IFMT) === S_IFDIR &&
    kindOf(after!) === EntryKind.directory;
  return isEntered ? undefined : "unsaved";
}

/**
 * Looks at an entry. Links are not followed.
 *
 * @returns False if it is not there, or a directory on the way to it is not one.
 */
export function statAt(
  target: Target,
  path: Uint8Array,
  stats: StatTable,
): boolean {
  const [directory, name] = placeOf(target, path) ?? [];
  return directory !== undefined && target.stat(directory, name, stats, 0);
}

/** The directory and the name of an entry; nothing where the directory is not there. */
export function placeOf(
  target: Target,
  path: Uint8Array,
): readonly [TargetDirectory, Uint8Array] | undefined {
  const end = path.lastIndexOf(SLASH);
  try {
    const parent = path.subarray(0, Math.max(end, 0));
    return [target.directoryAt(parent), path.subarray(end + 1)];
  } catch (error) {
    const isAbsent = error instanceof DiskError &&
      ["ENOENT", "ENOTDIR", "ELOOP"].includes(error.code);
    if (isAbsent) return undefined;
    throw error;
  }
}

/** Whether an entry of the disk is the one that was saved. */
export function isAsSaved(stats: StatTable, saved: EntryRow): boolean {
  const { tree, row, page } = saved;
  const type = stats.mode(0) & S_IFMT;
  const kind = kindOf(saved);
  if (kind === EntryKind.directory) return type === S_IFDIR;
  const isFile = kind <= EntryKind.executable;
  return (type === S_IFREG) === isFile &&
    (type === S_IFLNK) === (kind === EntryKind.symlink) &&
    (!isFile || stats.size(0) === tree.size(row)) && page !== undefined &&
    stats.mtimeSec(0) === page.mtimeSec(row + 1) &&
    stats.mtimeNs(0) === page.mtimeNs(row + 1) &&
    stats.inodeLow(0) === page.inodeLow(row + 1) &&
    stats.inodeHigh(0) === page.inodeHigh(row + 1);
}

/** Kind of an entry; row -1 is a directory itself. */
export function kindOf({ tree, row }: EntryRow): EntryKind {
  return row < 0 ? EntryKind.directory : tree.kind(row);
}

function isAtOrBelow(path: Uint8Array, above: Uint8Array): boolean {
  if (above.length === 0) return true;
  return path.length >= above.length &&
    (path.length === above.length || path[above.length] === SLASH) &&
    above.every((byte, i) => byte === path[i]);
}
