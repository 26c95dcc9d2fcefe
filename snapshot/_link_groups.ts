import { idFromBytes } from "@snap/hash/id";
import { EntryKind, isFileKind } from "@snap/manifest/entry-kind";
import { joinPath, pathToText } from "@snap/manifest/path";
import type { Tree } from "@snap/manifest/tree";
import type { EntryPlace } from "./_deferred_entries.ts";
import type { SnapshotDirectory } from "./_read_directory.ts";

/** The names of one file, of which all but one are links to that one. */
export interface LinkGroup {
  /** The name that the others are links to. */
  place: EntryPlace;
  /** Whether this restore wrote what stands there, or found it right: nothing else is linked to. */
  isThere: boolean;
}

/** Files that have several names, by device and inode. */
export class LinkGroups {
  readonly #groups = new Map<string, { group: LinkGroup; left: number }>();
  /** Groups whose first name is not there, by its path. */
  readonly #awaited = new Map<string, LinkGroup>();

  /**
   * Finds the group of which a row is one more name.
   *
   * @param directory The directory of the row, and its path.
   * @param row The row.
   * @returns The group; nothing if this is the first name or the only one.
   */
  first(
    directory: SnapshotDirectory & { readonly path: Uint8Array },
    row: number,
  ): LinkGroup | undefined {
    const { page, tree, path } = directory;
    if (page === undefined || page.nlink(row + 1) < 2) return undefined;
    const low = page.inodeLow(row + 1), high = page.inodeHigh(row + 1);
    if (low === 0 && high === 0) return undefined;
    // What it is belongs to the key: no row can make a link of something else.
    const key = `${page.device(row + 1)} ${high} ${low} ${sameness(tree, row)}`;
    const known = this.#groups.get(key);
    if (known === undefined) {
      const place = { directory: path, name: tree.name(row).slice() };
      const group = { place, isThere: false };
      this.#groups.set(key, { group, left: page.nlink(row + 1) - 1 });
      this.begin(group, place);
      return undefined;
    }
    if (--known.left === 0) this.#groups.delete(key);
    return known.group;
  }

  /**
   * Makes a name the one that the others of its group are to be links to.
   *
   * @param group The group.
   * @param place The name; it is not there yet.
   */
  begin(group: LinkGroup, place: EntryPlace): void {
    this.#awaited.delete(keyOf(group.place));
    group.place = place;
    group.isThere = false;
    this.#awaited.set(keyOf(place), group);
  }

  /**
   * Takes note that an entry is there, as the snapshot has it.
   *
   * @param directory The path of its directory.
   * @param name Its name.
   */
  arrive(directory: Uint8Array, name: Uint8Array): void {
    if (this.#awaited.size === 0) return;
    const key = keyOf({ directory, name });
    const group = this.#awaited.get(key);
    if (group === undefined) return;
    group.isThere = true;
    this.#awaited.delete(key);
  }
}

function keyOf({ directory, name }: EntryPlace): string {
  return pathToText(joinPath(directory, name));
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
