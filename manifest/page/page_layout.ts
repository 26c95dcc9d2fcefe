import { ID_SIZE } from "../bytes.ts";

/** `ATT1` as a little-endian number. */
export const PAGE_MAGIC = 0x31545441;

/** Size of a page before its page ids. */
export const PAGE_HEADER_SIZE = 64;

/** Offset of the id of the tree. */
export const PAGE_TREE_ID = 32;

/** Size of one row in the columns of a page. */
export const PAGE_ROW_SIZE = 44;

/** Size of one owner, without names. */
export const OWNER_SIZE = 16;

/** The numbers in the header of a page. */
export interface PageCounts {
  readonly rows: number;
  readonly directories: number;
  readonly owners: number;
  readonly ownerNamesSize: number;
  readonly extraRows: number;
  readonly extrasSize: number;
}

/** Offsets of the columns of a page. */
export class PageLayout {
  readonly mtimeSec: number;
  readonly ctimeSec: number;
  readonly inode: number;
  readonly mtimeNs: number;
  readonly ctimeNs: number;
  readonly nlink: number;
  readonly owner: number;
  readonly mode: number;
  readonly device: number;
  readonly owners: number;
  readonly ownerNames: number;
  readonly extraRows: number;
  readonly extraEnds: number;
  readonly extras: number;
  readonly size: number;

  /** Lays out a page with these counts. */
  constructor(counts: PageCounts) {
    const { rows } = counts;
    this.mtimeSec = PAGE_HEADER_SIZE + ID_SIZE * counts.directories;
    this.ctimeSec = this.mtimeSec + 8 * rows;
    this.inode = this.ctimeSec + 8 * rows;
    this.mtimeNs = this.inode + 8 * rows;
    this.ctimeNs = this.mtimeNs + 4 * rows;
    this.nlink = this.ctimeNs + 4 * rows;
    this.owner = this.nlink + 4 * rows;
    this.mode = this.owner + 4 * rows;
    this.device = this.mode + 2 * rows;
    this.owners = this.device + 2 * rows;
    this.ownerNames = this.owners + OWNER_SIZE * counts.owners;
    this.extraRows = this.ownerNames + counts.ownerNamesSize;
    this.extraEnds = this.extraRows + 4 * counts.extraRows;
    this.extras = this.extraEnds + 4 * counts.extraRows;
    this.size = this.extras + counts.extrasSize;
  }
}
