import { idFromBytes } from "@snap/hash";
import { compareRuns, equalIds } from "./bytes.ts";
import type { AttributePage } from "./page/attribute_page.ts";
import { EntryKind, isDeviceKind, isFileKind } from "./entry_kind.ts";
import { pathToText } from "./path/path.ts";
import type { Tree } from "./tree/tree.ts";

/** One entry: a row of a tree, and of the page beside it. */
export interface EntryRow {
  /** The tree of the directory that has the entry. */
  readonly tree: Tree;
  /** The row in the tree; -1 stands for the directory itself. */
  readonly row: number;
  /** The page of that directory, where the entry has row `row + 1`, when there is one. */
  readonly page?: AttributePage;
}

/**
 * Says whether two entries are the same but for name and attributes: kind, and id
 * and size, or target, or device numbers.
 *
 * @param a One tree.
 * @param aRow The row there.
 * @param b The other tree.
 * @param bRow The row there.
 * @returns Whether the id of their directories would be the same by them.
 */
export function sameContent(
  a: Tree,
  aRow: number,
  b: Tree,
  bRow: number,
): boolean {
  const kind = a.kind(aRow);
  if (kind !== b.kind(bRow)) return false;
  if (kind <= EntryKind.directory) {
    return a.size(aRow) === b.size(bRow) &&
      equalIds(a.bytes, a.idStart(aRow), b.bytes, b.idStart(bRow));
  }
  if (kind === EntryKind.symlink) {
    return equalBytes(a.target(aRow), b.target(bRow));
  }
  return !isDeviceKind(kind) ||
    (a.deviceMajor(aRow) === b.deviceMajor(bRow) &&
      a.deviceMinor(aRow) === b.deviceMinor(bRow));
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length &&
    compareRuns(a, 0, a.length, b, 0, b.length) === 0;
}

function sameOwner(
  a: AttributePage,
  aRow: number,
  b: AttributePage,
  bRow: number,
): boolean {
  return a.uid(aRow) === b.uid(bRow) && a.gid(aRow) === b.gid(bRow) &&
    equalBytes(a.userName(aRow), b.userName(bRow)) &&
    equalBytes(a.groupName(aRow), b.groupName(bRow));
}

function sameExtras(
  a: AttributePage,
  aRow: number,
  b: AttributePage,
  bRow: number,
): boolean {
  if (a.extraRows === 0 && b.extraRows === 0) return true;
  const left = a.extrasBytes(aRow);
  const right = b.extrasBytes(bRow);
  if (left === undefined || right === undefined) return left === right;
  return equalBytes(left, right);
}

/**
 * Says whether two rows of pages have the same mode, modification time, owner and
 * extras: all that a restore sets. Change time, inode, link count and device belong
 * to the file system that was saved, and are not compared.
 *
 * @param a One page.
 * @param aRow The row there.
 * @param b The other page.
 * @param bRow The row there.
 * @returns Whether they are the same.
 */
export function sameAttributes(
  a: AttributePage,
  aRow: number,
  b: AttributePage,
  bRow: number,
): boolean {
  return a.mtimeNs(aRow) === b.mtimeNs(bRow) &&
    a.mtimeSec(aRow) === b.mtimeSec(bRow) &&
    a.mode(aRow) === b.mode(bRow) && sameOwner(a, aRow, b, bRow) &&
    sameExtras(a, aRow, b, bRow);
}

/**
 * Names what an entry is one of several names of, by device and inode. Kind and content belong to
 * it: no row can make a link of something else.
 *
 * @param page The page beside it.
 * @param row The row in the tree.
 * @returns The same text for all names of one file; nothing if it has but one, or is a directory.
 */
export function linkKey(
  tree: Tree,
  page: AttributePage,
  row: number,
): string | undefined {
  const kind = tree.kind(row);
  if (page.nlink(row + 1) < 2 || kind === EntryKind.directory) return undefined;
  const low = page.inodeLow(row + 1), high = page.inodeHigh(row + 1);
  if (low === 0 && high === 0) return undefined;
  return `${page.device(row + 1)} ${high} ${low} ${kind} ${
    contentKey(tree, row)
  }`;
}

/** All that a tree says of an entry but its name and kind. */
function contentKey(tree: Tree, row: number): string {
  const kind = tree.kind(row);
  if (isFileKind(kind)) return idFromBytes(tree.idBytes(row));
  return kind === EntryKind.symlink
    ? pathToText(tree.target(row))
    : `${tree.deviceMajor(row)} ${tree.deviceMinor(row)}`;
}
