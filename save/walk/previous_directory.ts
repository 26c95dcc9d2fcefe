import { EntryKind } from "@snap/manifest/extras";
import type { AttributePage, Tree } from "@snap/manifest";
import type { StatTable } from "@snap/posix/stat-table";

/** A moment of the clock. */
export interface Moment {
  readonly sec: number;
  readonly ns: number;
}

/** The tree of a directory of the snapshot before, in memory or not. */
export type PreviousTree =
  & Pick<
    Tree,
    | "count"
    | "size"
    | "bytes"
    | "idStart"
    | "idBytes"
    | "target"
    | "compareName"
  >
  & { kind(row: number): number };

/** Its attribute page. */
export type PreviousPage = Pick<
  AttributePage,
  | "mtimeSec"
  | "mtimeNs"
  | "ctimeSec"
  | "ctimeNs"
  | "inodeLow"
  | "inodeHigh"
  | "nlink"
  | "mode"
  | "device"
  | "uid"
  | "gid"
  | "directories"
  | "extraRows"
  | "extrasBytes"
  | "pageIdBytes"
>;

/** One directory of the snapshot before, beside which a directory of the source is walked. */
export class PreviousDirectory {
  readonly tree: PreviousTree;
  readonly page: PreviousPage;
  /** The id of the tree, then the id of the page. */
  readonly ids: Uint8Array;
  /** Closes the spill files of tree and page. */
  readonly close: () => void;
  #row = 0;
  #directories = 0;

  /**
   * Stands before the first row.
   *
   * @param ids The id of the tree, then the id of the page.
   */
  constructor(
    ids: Uint8Array,
    tree: PreviousTree,
    page: PreviousPage,
    close: () => void = () => {},
  ) {
    this.ids = ids;
    this.tree = tree;
    this.page = page;
    this.close = close;
  }

  /**
   * Finds the row of a name. Names must be asked for in ascending order.
   *
   * @param end One past its last byte.
   */
  seek(names: Uint8Array, start: number, end: number): number {
    const { tree } = this;
    while (this.#row < tree.count) {
      const order = tree.compareName(this.#row, names, start, end);
      if (order > 0) return -1;
      const row = this.#row++;
      if (tree.kind(row) === EntryKind.directory) this.#directories++;
      if (order === 0) return row;
    }
    return -1;
  }

  /** The number, among sub-directories, of the one that `seek` found last. */
  get directoryNumber(): number {
    return this.#directories - 1;
  }

  /**
   * Gives the ids of the sub-directory that `seek` found last.
   *
   * @returns The id of its tree, then the id of its page.
   */
  childIds(row: number): Uint8Array {
    const ids = new Uint8Array(64);
    ids.set(this.tree.idBytes(row));
    ids.set(this.page.pageIdBytes(this.directoryNumber), 32);
    return ids;
  }

  /**
   * Gives the ids of all sub-directories, in the order of their names.
   *
   * @returns For each the id of its tree, then the id of its page.
   */
  allChildIds(): Uint8Array[] {
    const { tree, page } = this;
    const all: Uint8Array[] = [];
    for (let row = 0; row < tree.count; row++) {
      if (tree.kind(row) !== EntryKind.directory) continue;
      const ids = new Uint8Array(64);
      ids.set(tree.idBytes(row));
      ids.set(page.pageIdBytes(all.length), 32);
      all.push(ids);
    }
    return all;
  }

  /**
   * Tells whether a file need not be read.
   *
   * @param stats What the disk says now.
   * @param trustedBefore Times from here on prove nothing.
   * @returns Whether the content is what it was.
   */
  isContentUnchanged(
    row: number,
    stats: StatTable,
    at: number,
    trustedBefore: Moment,
  ): boolean {
    const { tree, page } = this;
    const kind = tree.kind(row);
    const isFile = kind === EntryKind.file || kind === EntryKind.executable;
    return isFile && tree.size(row) === stats.size(at) &&
      this.#hasSameTimes(row + 1, stats, at) &&
      page.inodeLow(row + 1) === stats.inodeLow(at) &&
      page.inodeHigh(row + 1) === stats.inodeHigh(at) &&
      isBefore(stats.mtimeSec(at), stats.mtimeNs(at), trustedBefore) &&
      isBefore(stats.ctimeSec(at), stats.ctimeNs(at), trustedBefore);
  }

  /**
   * Tells whether an attribute row would be the same again.
   *
   * @param row The row of the page.
   * @param stats What the disk says now.
   * @param device The number of its device in this save.
   * @returns Whether every number is the same.
   */
  isRowUnchanged(
    row: number,
    stats: StatTable,
    at: number,
    device: number,
  ): boolean {
    const { page } = this;
    return this.#hasSameTimes(row, stats, at) &&
      page.inodeLow(row) === stats.inodeLow(at) &&
      page.inodeHigh(row) === stats.inodeHigh(at) &&
      page.mode(row) === (stats.mode(at) & 0o7777) &&
      page.nlink(row) === stats.nlink(at) &&
      page.uid(row) === stats.uid(at) && page.gid(row) === stats.gid(at) &&
      page.device(row) === device;
  }

  #hasSameTimes(row: number, stats: StatTable, at: number): boolean {
    const { page } = this;
    return page.mtimeNs(row) === stats.mtimeNs(at) &&
      page.ctimeNs(row) === stats.ctimeNs(at) &&
      page.mtimeSec(row) === stats.mtimeSec(at) &&
      page.ctimeSec(row) === stats.ctimeSec(at);
  }
}

/** Tells whether a time comes before a moment. */
export function isBefore(sec: number, ns: number, moment: Moment): boolean {
  return sec < moment.sec || (sec === moment.sec && ns < moment.ns);
}
