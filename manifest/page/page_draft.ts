/**
 * An attribute page of which not everything is known yet, in few bytes a row.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { ID_SIZE, WORD } from "../bytes.ts";
import { DraftExtras } from "../extras/draft_extras.ts";
import type { DraftOwners } from "./draft_owners.ts";
import { EntryKind } from "../entry_kind.ts";
import type { KeptRows } from "../tree/kept_rows.ts";
import { DEVICE_MAX, MODE_MAX, TIME_SEC_MAX } from "../limits.ts";
import {
  PAGE_HEADER_SIZE,
  PAGE_MAGIC,
  PAGE_ROW_SIZE,
  PAGE_TREE_ID,
  PageLayout,
} from "./page_layout.ts";
import {
  type MakeBytes,
  MemoryBytes,
  type ObjectBytes,
  type RandomBytes,
  type WritableBytes,
} from "../random_bytes.ts";
import type { TreeDraft } from "../tree/tree_draft.ts";

const NS_MAX = 999_999_999;

/** Tree that the page of a {@linkcode PageDraft} belongs to, and owners. */
export interface DraftedTree {
  /** The tree: rows that it leaves out are left out of the page. */
  readonly tree: TreeDraft;
  /** Where the 32 bytes of its id are. */
  readonly treeId: Uint8Array;
  /** 32 bytes for each row of the tree: the page ids of its sub-directories. */
  readonly pageIds: RandomBytes | undefined;
  /** Owners that the rows are numbered by. */
  readonly owners: DraftOwners;
}

/**
 * An attribute page whose rows are set in any order, and again. They take 44 bytes
 * each, in memory or wherever the caller puts them. Row 0 is the directory itself;
 * numbers that are not set are 0.
 *
 * @example
 * ```ts
 * import { AttributePage } from "@snap/manifest";
 * import { DraftOwners } from "@snap/manifest/draft";
 * import { joinPieces } from "@snap/manifest";
 * import { PageDraft } from "@snap/manifest/draft";
 * import { TreeDraft } from "@snap/manifest/draft";
 * import { equal } from "node:assert/strict";
 *
 * const none = new Uint8Array(0);
 * const owners = new DraftOwners();
 * const tree = new TreeDraft({ rowsMax: 0, names: none, ends: new Uint32Array(0) });
 * const draft = new PageDraft(0);
 * draft.setMode(0, 0o755);
 * draft.setOwner(0, owners.intern(1000, 100, none, none));
 * const treeId = new Uint8Array(32);
 * const bytes = joinPieces(draft.finish({ tree, treeId, pageIds: undefined, owners }));
 * equal(AttributePage.decode(bytes).mode(0), 0o755);
 * ```
 */
export class PageDraft {
  readonly #rows: number;
  readonly #cells: WritableBytes;
  #extras: DraftExtras | undefined;

  /**
   * Makes a draft.
   *
   * @param entryCount Entries at most, the directory itself not counted.
   * @param make Makes room for the rows; in memory if absent.
   */
  constructor(entryCount: number, make: MakeBytes = MemoryBytes.ofSize) {
    this.#rows = entryCount + 1;
    this.#cells = make(PAGE_ROW_SIZE * this.#rows);
  }

  /** Rows with extended attributes. */
  get xattrCount(): number {
    return this.#extras?.xattrCount ?? 0;
  }

  /** Rows with holes. */
  get holeCount(): number {
    return this.#extras?.holeCount ?? 0;
  }

  /**
   * Sets the times of a row. Seconds further than 2^53 − 1 from 1970 become that.
   *
   * @param mtimeSec Modification time, whole seconds since 1970.
   * @param mtimeNs Nanoseconds after that second.
   * @param ctimeSec Change time, whole seconds since 1970.
   * @param ctimeNs Nanoseconds after that second.
   * @throws {RangeError} If nanoseconds are not below 10^9.
   */
  setTimes(
    row: number,
    mtimeSec: number,
    mtimeNs: number,
    ctimeSec: number,
    ctimeNs: number,
  ): void {
    if (
      !(mtimeNs >= 0 && mtimeNs <= NS_MAX && ctimeNs >= 0 && ctimeNs <= NS_MAX)
    ) {
      throw new RangeError(
        `Cannot set nanoseconds ${mtimeNs} and ${ctimeNs}: they go from 0 to ${NS_MAX}`,
      );
    }
    const rows = this.#rows;
    this.#setSeconds(8 * row, mtimeSec);
    this.#setSeconds(8 * (rows + row), ctimeSec);
    this.#cells.setU32(24 * rows + 4 * row, mtimeNs);
    this.#cells.setU32(28 * rows + 4 * row, ctimeNs);
  }

  /**
   * Sets the change time of a row to 1970: nobody takes the row for that of a file that is the same.
   */
  forgetChangeTime(row: number): void {
    this.#setSeconds(8 * (this.#rows + row), 0);
    this.#cells.setU32(28 * this.#rows + 4 * row, 0);
  }

  /**
   * Sets by what the file of a row was known to its file system.
   *
   * @param inodeLow Lower 32 bits of the inode number.
   * @param inodeHigh Upper 32 bits of the inode number.
   * @param nlink Link count.
   * @param device Small number of the device, 0 for the device of the root.
   * @throws {RangeError} If the device is above 65535.
   */
  setInode(
    row: number,
    inodeLow: number,
    inodeHigh: number,
    nlink: number,
    device: number,
  ): void {
    if (!(device >= 0 && device <= DEVICE_MAX)) {
      throw new RangeError(
        `Cannot set device ${device}: it goes from 0 to ${DEVICE_MAX}`,
      );
    }
    const rows = this.#rows, cells = this.#cells;
    cells.setU32(16 * rows + 8 * row, inodeLow);
    cells.setU32(16 * rows + 8 * row + 4, inodeHigh);
    cells.setU32(32 * rows + 4 * row, nlink);
    cells.setU16(42 * rows + 2 * row, device);
  }

  /**
   * Sets the mode of a row.
   *
   * @param mode The 12 permission bits, without the bits of the kind.
   * @throws {RangeError} If the mode has more bits.
   */
  setMode(row: number, mode: number): void {
    if (!(mode >= 0 && mode <= MODE_MAX)) {
      throw new RangeError(
        `Cannot set mode ${mode}: it has 12 bits`,
      );
    }
    this.#cells.setU16(40 * this.#rows + 2 * row, mode);
  }

  /**
   * Sets the owner of a row.
   *
   * @param owner A number of {@linkcode DraftOwners}.
   */
  setOwner(row: number, owner: number): void {
    this.#cells.setU32(36 * this.#rows + 4 * row, owner);
  }

  /**
   * Sets the extras of a row, once.
   *
   * @param extras What `encodeExtras` made; nothing is set when it is empty.
   * @throws {RangeError} If the row has extras.
   * @throws {ManifestSyntaxError} If the bytes are not canonical extras.
   */
  setExtras(row: number, extras: Uint8Array): void {
    checkBytes(extras, "extras");
    if (extras.length === 0) return;
    this.#extras ??= new DraftExtras(this.#rows);
    this.#extras.set(row, extras);
  }

  /**
   * Link count of a row.
   *
   * @returns The count.
   */
  nlink(row: number): number {
    return this.#cells.u32(32 * this.#rows + 4 * row);
  }

  /**
   * Ends the draft, once.
   *
   * @param of The tree it belongs to.
   * @returns The canonical bytes of the page; the draft must not change any more.
   * @throws {RangeError} If extras are too large.
   */
  finish(of: DraftedTree): ObjectBytes {
    const { tree, pageIds } = of;
    const entries = tree.keptRows;
    const rows = entries.afterOne();
    let directories = 0;
    entries.forEach((row) => {
      if (tree.kind(row) === EntryKind.directory) directories++;
    });
    const owners = of.owners.number(this.#cells, 36 * this.#rows, rows);
    const extras = this.#extras?.measure(rows) ?? { count: 0, size: 0 };
    const header = new Uint8Array(PAGE_HEADER_SIZE);
    const view = new DataView(header.buffer);
    view.setUint32(0, PAGE_MAGIC, true);
    view.setUint32(4, rows.count, true);
    view.setUint32(8, directories, true);
    view.setUint32(12, owners.count, true);
    view.setUint32(16, owners.namesSize, true);
    view.setUint32(20, extras.count, true);
    view.setUint32(24, extras.size, true);
    header.set(of.treeId.subarray(0, ID_SIZE), PAGE_TREE_ID);
    const { size } = new PageLayout({
      rows: rows.count,
      directories,
      owners: owners.count,
      ownerNamesSize: owners.namesSize,
      extraRows: extras.count,
      extrasSize: extras.size,
    });
    const idPieces = (): Iterable<Uint8Array> =>
      pageIds === undefined
        ? []
        : entries.pieces((first, end) => pageIdsOf(tree, pageIds, first, end));
    return {
      size,
      pieces: () => this.#pieces(header, idPieces(), rows, owners.bytes),
    };
  }

  *#pieces(
    header: Uint8Array,
    pageIds: Iterable<Uint8Array>,
    rows: KeptRows,
    owners: Uint8Array,
  ): Generator<Uint8Array> {
    yield header;
    yield* pageIds;
    let start = 0;
    for (const size of CELL_SIZES) {
      yield* rows.cells(this.#cells, start, size);
      start += size * this.#rows;
    }
    yield owners;
    if (this.#extras !== undefined) yield* this.#extras.pieces(rows);
  }

  #setSeconds(at: number, seconds: number): void {
    const value = Math.max(-TIME_SEC_MAX, Math.min(seconds, TIME_SEC_MAX));
    this.#cells.setU32(at, value);
    this.#cells.setU32(at + 4, Math.floor(value / WORD));
  }
}

/** Sizes of the cells of a row, in the order of their columns. */
const CELL_SIZES = [8, 8, 8, 4, 4, 4, 4, 2, 2];

function* pageIdsOf(
  tree: TreeDraft,
  pageIds: RandomBytes,
  first: number,
  end: number,
): Generator<Uint8Array> {
  for (let row = first; row < end; row++) {
    if (tree.kind(row) !== EntryKind.directory) continue;
    yield* pageIds.pieces(ID_SIZE * row, ID_SIZE * row + ID_SIZE);
  }
}
