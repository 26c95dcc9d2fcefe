import { idFromBytes } from "@snap/hash/id";
import { EntryKind, isFileKind } from "@snap/manifest/entry-kind";
import { pathToText } from "@snap/manifest/path";
import type { Tree } from "@snap/manifest/tree";
import type { EntryPlace } from "./_deferred_entries.ts";
import type { SnapshotDirectory } from "./_read_directory.ts";

/** Files that have several names, by device and inode. */
export class LinkGroups {
  readonly #groups = new Map<string, { place: EntryPlace; left: number }>();

  /**
   * Finds the first name of what a row is one more name of.
   *
   * @param directory The directory of the row, and its path.
   * @param row The row.
   * @returns The first name; nothing if this is the first or the only one.
   */
  first(
    directory: SnapshotDirectory & { readonly path: Uint8Array },
    row: number,
  ): EntryPlace | undefined {
    const { page, tree, path } = directory;
    if (page === undefined || page.nlink(row + 1) < 2) return undefined;
    const low = page.inodeLow(row + 1), high = page.inodeHigh(row + 1);
    if (low === 0 && high === 0) return undefined;
    // What it is belongs to the key: no row can make a link of something else.
    const key = `${page.device(row + 1)} ${high} ${low} ${sameness(tree, row)}`;
    const known = this.#groups.get(key);
    if (known === undefined) {
      const place = { directory: path, name: tree.name(row).slice() };
      this.#groups.set(key, { place, left: page.nlink(row + 1) - 1 });
      return undefined;
    }
    if (--known.left === 0) this.#groups.delete(key);
    return known.place;
  }
}

/** All that a tree says of an entry but its name. */
function sameness(tree: Tree, row: number): string {
  const kind = tree.kind(row);
  if (isFileKind(kind)) return `${kind} ${idFromBytes(tree.idBytes(row))}`;
  if (kind === EntryKind.symlink) {
    return `${kind} ${pathToText(tree.target(row))}`;
  }
  return `${kind} ${tree.deviceMajor(row)} ${tree.deviceMinor(row)}`;
}
