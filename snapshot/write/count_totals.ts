import { EntryKind, type Extras, isFileKind } from "@snap/manifest/extras";
import type { AttributePage, Tree } from "@snap/manifest";
import type { StoreOptions } from "@snap/store";
import {
  type Directory,
  type ObjectReads,
  readDirectory,
} from "../reach/reach_walk.ts";
import type { Totals } from "../records/record.ts";

/** Totals that are being counted. */
export type TotalsSoFar = Record<keyof Totals, number>;

/** Totals of nothing. */
export const NO_TOTALS: Totals = {
  ...{ entryCount: 0, fileCount: 0, directoryCount: 0, byteCount: 0 },
  ...{ xattrCount: 0, hardLinkCount: 0, holeCount: 0 },
};

/** Options of {@linkcode countTotals}. */
export interface CountTotalsOptions extends StoreOptions {
  /** Most entries that there may be; more is an error. */
  readonly entryCountMax: number;
}

/**
 * Counts what a snapshot holds: reads every directory, those that stand in several
 * places once for each.
 *
 * @param reader What reads trees and pages.
 * @param ids The ids of the root's tree and of its page.
 * @param options Most entries, what ends the wait.
 * @returns The totals, as a record has them.
 * @throws {RangeError} If there are more entries.
 */
export async function countTotals(
  reader: ObjectReads,
  ids: { readonly treeId: Uint8Array; readonly pageId: Uint8Array },
  options: CountTotalsOptions,
): Promise<Totals> {
  const { entryCountMax, signal } = options;
  const totals: TotalsSoFar = { ...NO_TOTALS };
  const levels: (Directory & { row: number; directories: number })[] = [];
  const enter = async (treeId: Uint8Array, pageId: Uint8Array) => {
    const directory = await readDirectory(reader, treeId, pageId, { signal });
    addDirectory(totals, directory.tree, directory.page);
    if (totals.entryCount > entryCountMax) {
      throw new RangeError(
        `Cannot count entries as there are at most ${entryCountMax}: found more`,
      );
    }
    levels.push({ ...directory, row: 0, directories: 0 });
  };
  await enter(ids.treeId, ids.pageId);
  for (let level = levels.at(-1); level; level = levels.at(-1)) {
    signal?.throwIfAborted();
    const { tree, page } = level;
    if (level.row === tree.count) {
      levels.pop();
      continue;
    }
    const row = level.row++;
    if (tree.kind(row) !== EntryKind.directory) continue;
    await enter(tree.idBytes(row), page.pageIdBytes(level.directories++));
  }
  return totals;
}

function addDirectory(
  totals: TotalsSoFar,
  tree: Tree,
  page: AttributePage,
): void {
  for (let row = 0; row < tree.count; row++) addEntry(totals, tree, page, row);
  if (page.extraRows === 0) return;
  for (let row = 0; row < page.rows; row++) addExtras(totals, page.extras(row));
}

/**
 * Adds an entry to totals, without its extras and what is below it.
 *
 * @param totals What is added to.
 * @param row The row of the entry in the tree.
 */
export function addEntry(
  totals: TotalsSoFar,
  tree: Tree,
  page: AttributePage,
  row: number,
): void {
  const kind = tree.kind(row);
  totals.entryCount++;
  if (kind === EntryKind.directory) totals.directoryCount++;
  else if (page.nlink(row + 1) > 1) totals.hardLinkCount++;
  if (!isFileKind(kind)) return;
  totals.fileCount++;
  totals.byteCount += tree.size(row);
}

/**
 * Adds the extras of a row to totals.
 *
 * @param totals What is added to.
 */
export function addExtras(
  totals: TotalsSoFar,
  extras: Extras | undefined,
): void {
  if (extras === undefined) return;
  if (extras.xattrs.length > 0) totals.xattrCount++;
  if (extras.holes !== undefined) totals.holeCount++;
}
