import { checkBytes } from "@snap/hash";
import { equalIds, ID_SIZE, WORD } from "../bytes.ts";
import { checkCounts, checkPage, readCounts } from "./check_page.ts";
import {
  OWNER_SIZE,
  PAGE_HEADER_SIZE,
  PAGE_TREE_ID,
  type PageCounts,
  PageLayout,
} from "./page_layout.ts";
import { decodeExtras, type Extras } from "../extras/extras.ts";
import type { Tree } from "../tree/tree.ts";

/**
 * The attributes of one directory and its entries: a view over canonical bytes.
 *
 * Row 0 is the directory itself, row `i + 1` belongs to row `i` of its tree.
 * Accessors read the bytes and allocate nothing, but for those that return bytes or
 * extras. A row must be at least 0 and below {@linkcode AttributePage.rows}; this is
 * not checked again for each call.
 *
 * @example Read a mode
 * ```ts
 * import { AttributePage } from "@snap/manifest";
 * import { DraftOwners } from "@snap/manifest/draft";
 * import { joinPieces } from "@snap/manifest";
 * import { PageDraft } from "@snap/manifest/draft";
 * import { TreeDraft } from "@snap/manifest/draft";
 * import { strictEqual } from "node:assert/strict";
 *
 * const none = new Uint8Array(0);
 * const owners = new DraftOwners();
 * const tree = new TreeDraft({ rowsMax: 0, names: none, ends: new Uint32Array(0) });
 * const draft = new PageDraft(0);
 * draft.setMode(0, 0o755);
 * draft.setOwner(0, owners.intern(0, 0, none, none));
 * const treeId = new Uint8Array(32);
 * const bytes = joinPieces(draft.finish({ tree, treeId, pageIds: undefined, owners }));
 *
 * const page = AttributePage.decode(bytes);
 * strictEqual(page.mode(0), 0o755);
 * ```
 */
export class AttributePage {
  /** The bytes that were decoded; not a copy. */
  readonly bytes: Uint8Array;
  /** Number of rows: the entries of the tree, and one for the directory itself. */
  readonly rows: number;
  /** Number of sub-directories. */
  readonly directories: number;
  /** Number of owners. */
  readonly owners: number;
  /** Number of rows with extras. */
  readonly extraRows: number;
  readonly #view: DataView;
  readonly #layout: PageLayout;

  private constructor(
    bytes: Uint8Array,
    view: DataView,
    counts: PageCounts,
    layout: PageLayout,
  ) {
    this.bytes = bytes;
    this.rows = counts.rows;
    this.directories = counts.directories;
    this.owners = counts.owners;
    this.extraRows = counts.extraRows;
    this.#view = view;
    this.#layout = layout;
  }

  /**
   * Checks that bytes are one canonical page, and views them.
   *
   * @param bytes All bytes of the page, at any offset of their buffer. They are kept, and must not change.
   * @throws {ManifestSyntaxError} If the bytes are anything but one canonical page.
   */
  static decode(bytes: Uint8Array): AttributePage {
    checkBytes(bytes, "attribute page");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const counts = checkCounts(bytes, view);
    return new AttributePage(
      bytes,
      view,
      counts,
      checkPage(bytes, view, counts),
    );
  }

  /**
   * Views the bytes of a page again, or a copy of them, without a check. For bytes
   * that {@linkcode AttributePage.decode} has accepted in this process, and no others.
   *
   * @param bytes All bytes of the page. They are kept, and must not change.
   */
  static fromDecoded(bytes: Uint8Array): AttributePage {
    checkBytes(bytes, "attribute page");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const counts = readCounts(view);
    return new AttributePage(bytes, view, counts, new PageLayout(counts));
  }

  /** Id of the tree that the page belongs to: a view of 32 bytes. */
  get treeId(): Uint8Array {
    return this.bytes.subarray(PAGE_TREE_ID, PAGE_TREE_ID + ID_SIZE);
  }

  /**
   * Says whether the page belongs to a tree: same id, and a row and a page id for each
   * of its entries and sub-directories.
   *
   * @param treeId Where the 32 bytes of its id are.
   * @param idStart Their offset.
   * @returns Whether rows of the page may be taken for rows of the tree.
   */
  belongsTo(tree: Tree, treeId: Uint8Array, idStart = 0): boolean {
    checkBytes(treeId, "id of the tree");
    return this.rows === tree.count + 1 &&
      equalIds(this.bytes, PAGE_TREE_ID, treeId, idStart) &&
      this.directories === tree.directoriesBefore(tree.count);
  }

  /**
   * Where the page id of a sub-directory is.
   *
   * @param directory Number of the sub-directory among the sub-directories, from 0.
   * @returns Offset in {@linkcode AttributePage.bytes} of 32 bytes.
   */
  pageIdStart(directory: number): number {
    return PAGE_HEADER_SIZE + ID_SIZE * directory;
  }

  /**
   * Page id of a sub-directory.
   *
   * @param directory Number of the sub-directory among the sub-directories, from 0.
   * @returns A view of 32 bytes.
   */
  pageIdBytes(directory: number): Uint8Array {
    const start = this.pageIdStart(directory);
    return this.bytes.subarray(start, start + ID_SIZE);
  }

  /**
   * Modification time: seconds since 1970, may be below 0.
   *
   * @returns Whole seconds.
   */
  mtimeSec(row: number): number {
    const at = this.#layout.mtimeSec + 8 * row;
    return this.#view.getUint32(at, true) +
      this.#view.getInt32(at + 4, true) * WORD;
  }

  /**
   * Modification time: nanoseconds after the second.
   *
   * @returns 0 to 999,999,999.
   */
  mtimeNs(row: number): number {
    return this.#view.getUint32(this.#layout.mtimeNs + 4 * row, true);
  }

  /**
   * Change time: seconds since 1970, may be below 0.
   *
   * @returns Whole seconds.
   */
  ctimeSec(row: number): number {
    const at = this.#layout.ctimeSec + 8 * row;
    return this.#view.getUint32(at, true) +
      this.#view.getInt32(at + 4, true) * WORD;
  }

  /**
   * Change time: nanoseconds after the second.
   *
   * @returns 0 to 999,999,999.
   */
  ctimeNs(row: number): number {
    return this.#view.getUint32(this.#layout.ctimeNs + 4 * row, true);
  }

  /**
   * Lower 32 bits of the inode number.
   *
   * @returns The bits, unsigned.
   */
  inodeLow(row: number): number {
    return this.#view.getUint32(this.#layout.inode + 8 * row, true);
  }

  /**
   * Upper 32 bits of the inode number.
   *
   * @returns The bits, unsigned.
   */
  inodeHigh(row: number): number {
    return this.#view.getUint32(this.#layout.inode + 8 * row + 4, true);
  }

  /**
   * Link count.
   *
   * @returns How many names the file had, in the snapshot or outside.
   */
  nlink(row: number): number {
    return this.#view.getUint32(this.#layout.nlink + 4 * row, true);
  }

  /**
   * Mode.
   *
   * @returns The 12 permission bits.
   */
  mode(row: number): number {
    return this.#view.getUint16(this.#layout.mode + 2 * row, true);
  }

  /**
   * Device.
   *
   * @returns A small number, 0 for the device of the root.
   */
  device(row: number): number {
    return this.#view.getUint16(this.#layout.device + 2 * row, true);
  }

  /**
   * Owner.
   *
   * @returns Number of the owner within this page: below {@linkcode AttributePage.owners}.
   */
  owner(row: number): number {
    return this.#view.getUint32(this.#layout.owner + 4 * row, true);
  }

  /**
   * User id of the owner.
   *
   * @returns The user id.
   */
  uid(row: number): number {
    return this.#view.getUint32(
      this.#layout.owners + OWNER_SIZE * this.owner(row),
      true,
    );
  }

  /**
   * Group id of the owner.
   *
   * @returns The group id.
   */
  gid(row: number): number {
    return this.#view.getUint32(
      this.#layout.owners + OWNER_SIZE * this.owner(row) + 4,
      true,
    );
  }

  /**
   * User name of the owner.
   *
   * @returns A view; empty when the name is not known.
   */
  userName(row: number): Uint8Array {
    const at = this.#layout.owners + OWNER_SIZE * this.owner(row);
    const start = this.owner(row) === 0
      ? 0
      : this.#view.getUint32(at - 4, true);
    const names = this.#layout.ownerNames;
    return this.bytes.subarray(
      names + start,
      names + this.#view.getUint32(at + 8, true),
    );
  }

  /**
   * Group name of the owner.
   *
   * @returns A view; empty when the name is not known.
   */
  groupName(row: number): Uint8Array {
    const at = this.#layout.owners + OWNER_SIZE * this.owner(row);
    const names = this.#layout.ownerNames;
    return this.bytes.subarray(
      names + this.#view.getUint32(at + 8, true),
      names + this.#view.getUint32(at + 12, true),
    );
  }

  /**
   * Says whether a row has extras.
   *
   * @returns Whether it has.
   */
  hasExtras(row: number): boolean {
    return this.extraRows > 0 && this.#extrasNumber(row) >= 0;
  }

  /**
   * Extras of a row, as they are encoded.
   *
   * @returns A view, or `undefined` when the row has none.
   */
  extrasBytes(row: number): Uint8Array | undefined {
    const number = this.#extrasNumber(row);
    if (number < 0) return undefined;
    const { extraEnds, extras } = this.#layout;
    const start = number === 0
      ? 0
      : this.#view.getUint32(extraEnds + 4 * (number - 1), true);
    return this.bytes.subarray(
      extras + start,
      extras + this.#view.getUint32(extraEnds + 4 * number, true),
    );
  }

  /**
   * Extras of a row.
   *
   * @returns Extended attributes and holes, or `undefined` when the row has none.
   */
  extras(row: number): Extras | undefined {
    const bytes = this.extrasBytes(row);
    return bytes === undefined ? undefined : decodeExtras(bytes);
  }

  /** Finds which of the rows with extras a row is, or -1. */
  #extrasNumber(row: number): number {
    let low = 0;
    let high = this.extraRows - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.#view.getUint32(
        this.#layout.extraRows + 4 * middle,
        true,
      );
      if (found === row) return middle;
      if (found < row) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
