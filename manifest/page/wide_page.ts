/**
 * An attribute page in bytes that are not all in memory.
 *
 * @module
 */
import { ID_SIZE, WORD } from "../bytes.ts";
import { copyOf } from "../copy_of.ts";
import {
  OWNER_SIZE,
  PAGE_HEADER_SIZE,
  PAGE_MAGIC,
  PAGE_TREE_ID,
  PageLayout,
} from "./page_layout.ts";
import type { RandomBytes } from "../random_bytes.ts";

/**
 * The attributes of a directory too large for memory. Only the counts are checked:
 * it is for bytes whose id was checked, and what a row says must be taken as a claim.
 *
 * @example
 * ```ts
 * import { MemoryBytes } from "@snap/manifest";
 * import { WidePage } from "@snap/manifest/wide";
 * import { equal } from "node:assert/strict";
 *
 * equal(WidePage.open(new MemoryBytes(new Uint8Array(64))), undefined);
 * ```
 */
export class WidePage {
  /** Number of rows: the entries of the tree, and one for the directory itself. */
  readonly rows: number;
  /** Number of sub-directories. */
  readonly directories: number;
  /** Number of rows with extras. */
  readonly extraRows: number;
  readonly #bytes: RandomBytes;
  readonly #layout: PageLayout;
  /** Where the extras of the row that was asked for last stand, in the order of rows. */
  #extra = 0;

  private constructor(bytes: RandomBytes, layout: PageLayout) {
    this.#bytes = bytes;
    this.#layout = layout;
    this.rows = bytes.u32(4);
    this.directories = bytes.u32(8);
    this.extraRows = bytes.u32(20);
  }

  /**
   * Looks at the counts.
   *
   * @returns The page, or `undefined` if the counts do not fit the bytes.
   */
  static open(bytes: RandomBytes): WidePage | undefined {
    if (bytes.size < PAGE_HEADER_SIZE || bytes.u32(0) !== PAGE_MAGIC) {
      return undefined;
    }
    const layout = new PageLayout({
      rows: bytes.u32(4),
      directories: bytes.u32(8),
      owners: bytes.u32(12),
      ownerNamesSize: bytes.u32(16),
      extraRows: bytes.u32(20),
      extrasSize: bytes.u32(24),
    });
    return layout.size === bytes.size ? new WidePage(bytes, layout) : undefined;
  }

  /** Id of the tree that the page belongs to: a copy. */
  get treeId(): Uint8Array {
    return copyOf(this.#bytes, PAGE_TREE_ID, PAGE_TREE_ID + ID_SIZE);
  }

  /**
   * Page id of a sub-directory.
   *
   * @param directory Number of the sub-directory among the sub-directories, from 0.
   * @returns A copy.
   */
  pageIdBytes(directory: number): Uint8Array {
    const start = PAGE_HEADER_SIZE + ID_SIZE * directory;
    return copyOf(this.#bytes, start, start + ID_SIZE);
  }

  /** Modification time: seconds since 1970, may be below 0. */
  mtimeSec(row: number): number {
    return this.#seconds(this.#layout.mtimeSec + 8 * row);
  }

  /** Modification time: nanoseconds after the second. */
  mtimeNs(row: number): number {
    return this.#bytes.u32(this.#layout.mtimeNs + 4 * row);
  }

  /** Change time: seconds since 1970, may be below 0. */
  ctimeSec(row: number): number {
    return this.#seconds(this.#layout.ctimeSec + 8 * row);
  }

  /** Change time: nanoseconds after the second. */
  ctimeNs(row: number): number {
    return this.#bytes.u32(this.#layout.ctimeNs + 4 * row);
  }

  /** Lower 32 bits of the inode number. */
  inodeLow(row: number): number {
    return this.#bytes.u32(this.#layout.inode + 8 * row);
  }

  /** Upper 32 bits of the inode number. */
  inodeHigh(row: number): number {
    return this.#bytes.u32(this.#layout.inode + 8 * row + 4);
  }

  /** Link count. */
  nlink(row: number): number {
    return this.#bytes.u32(this.#layout.nlink + 4 * row);
  }

  /** Mode: the 12 permission bits. */
  mode(row: number): number {
    return this.#bytes.u16(this.#layout.mode + 2 * row);
  }

  /** Device: a small number, 0 for the device of the root. */
  device(row: number): number {
    return this.#bytes.u16(this.#layout.device + 2 * row);
  }

  /** User id of the owner. */
  uid(row: number): number {
    return this.#bytes.u32(this.#ownerOf(row));
  }

  /** Group id of the owner. */
  gid(row: number): number {
    return this.#bytes.u32(this.#ownerOf(row) + 4);
  }

  /**
   * Extras of a row, as they are encoded. Cheap when rows are asked for in ascending order.
   *
   * @returns A copy, or `undefined` when the row has none.
   */
  extrasBytes(row: number): Uint8Array | undefined {
    const { extraEnds, extras } = this.#layout;
    if (this.#extra > 0 && this.#extraRow(this.#extra - 1) >= row) {
      this.#extra = 0;
    }
    while (
      this.#extra < this.extraRows && this.#extraRow(this.#extra) < row
    ) this.#extra++;
    const number = this.#extra;
    if (number === this.extraRows || this.#extraRow(number) !== row) {
      return undefined;
    }
    const start = number === 0
      ? 0
      : this.#bytes.u32(extraEnds + 4 * number - 4);
    const end = this.#bytes.u32(extraEnds + 4 * number);
    return copyOf(this.#bytes, extras + start, extras + end);
  }

  #extraRow(number: number): number {
    return this.#bytes.u32(this.#layout.extraRows + 4 * number);
  }

  #seconds(at: number): number {
    return this.#bytes.u32(at) + (this.#bytes.u32(at + 4) | 0) * WORD;
  }

  /** Where the owner of a row stands; a number of none is taken for the first. */
  #ownerOf(row: number): number {
    const { owner, owners, ownerNames } = this.#layout;
    const at = owners + OWNER_SIZE * this.#bytes.u32(owner + 4 * row);
    return at < ownerNames ? at : owners;
  }
}
