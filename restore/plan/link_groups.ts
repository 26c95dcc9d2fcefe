import { linkKey } from "@snap/manifest/diff";
import { joinPath, pathToText } from "@snap/manifest/path";
import type { StatTable } from "@snap/posix/stat-table";
import type { SnapshotDirectory } from "./read_directory.ts";

/** A name in a directory of the target. */
export interface EntryPlace {
  /** Path of the directory, relative to the target. */
  readonly directory: Uint8Array;
  readonly name: Uint8Array;
}

/** The names of one file, of which all but one are links to that one. */
export interface LinkGroup {
  /** The name that the others are links to. */
  place: EntryPlace;
  /** Whether this restore wrote what stands there, or found it right: nothing else is linked to. */
  isThere: boolean;
  /** Whether that was written, or in a dry run would be: other names are links to what was there. */
  isNew: boolean;
}

/** Files that have several names, by device and inode. */
export class LinkGroups {
  readonly #groups = new Map<string, { group: LinkGroup; left: number }>();
  /** Groups whose first name is not there, by its path. */
  readonly #awaited = new Map<string, LinkGroup>();
  /** Files of the target that had several names, by device and inode. */
  readonly #met = new Set<string>();

  /**
   * Finds the group of which a row is one more name.
   *
   * @returns The group; nothing if this is the first name or the only one.
   */
  first(
    directory: SnapshotDirectory & { readonly path: Uint8Array },
    row: number,
  ): LinkGroup | undefined {
    const { page, tree, path } = directory;
    const key = page && linkKey(tree, page, row);
    if (page === undefined || key === undefined) return undefined;
    const known = this.#groups.get(key);
    if (known === undefined) {
      const place = { directory: path, name: tree.name(row).slice() };
      const group = { place, isThere: false, isNew: false };
      this.#groups.set(key, { group, left: page.nlink(row + 1) - 1 });
      this.begin(group, place);
      return undefined;
    }
    if (--known.left === 0) this.#groups.delete(key);
    return known.group;
  }

  /**
   * Whether what stands there is what another entry has already that is apart from this one in the
   * snapshot.
   *
   * @returns True if it has to be replaced, whatever its content.
   */
  isTaken(stats: StatTable, row: number): boolean {
    if (stats.nlink(row) < 2) return false;
    const inode = `${stats.inodeHigh(row)} ${stats.inodeLow(row)}`;
    const key = `${stats.deviceMajor(row)} ${stats.deviceMinor(row)} ${inode}`;
    if (this.#met.has(key)) return true;
    this.#met.add(key);
    return false;
  }

  /** Makes a name the one that the others of its group are to be links to. */
  begin(group: LinkGroup, place: EntryPlace): void {
    this.#awaited.delete(keyOf(group.place));
    group.place = place;
    group.isThere = false;
    this.#awaited.set(keyOf(place), group);
  }

  /** Takes note that an entry is there, as the snapshot has it. */
  arrive(
    directory: Uint8Array,
    name: Uint8Array,
    how: "written" | "found",
  ): void {
    if (this.#awaited.size === 0) return;
    const key = keyOf({ directory, name });
    const group = this.#awaited.get(key);
    if (group === undefined) return;
    group.isThere = true;
    group.isNew = how === "written";
    this.#awaited.delete(key);
  }
}

function keyOf({ directory, name }: EntryPlace): string {
  return pathToText(joinPath(directory, name));
}
