import { copyRun, ID_SIZE } from "./_bytes.ts";
import { checkExtras } from "./_check_extras.ts";
import { growBytes } from "./_columns.ts";
import { ExtrasColumn } from "./_extras_column.ts";
import { PageColumns } from "./_page_columns.ts";
import {
  PAGE_HEADER_SIZE,
  PAGE_MAGIC,
  PAGE_TREE_ID,
  PageLayout,
} from "./_page_layout.ts";
import { PageOwners } from "./_page_owners.ts";
import type { AttributePage } from "./attribute_page.ts";
import { DEVICE_MAX, MODE_MAX, TIME_SEC_MAX } from "./limits.ts";

const ROWS_KEPT_MAX = 65536;
const NS_MAX = 999_999_999;

/**
 * Builds the canonical bytes of attribute pages, one after the other.
 *
 * Rows are added in order, row 0 for the directory itself; their numbers may be
 * set later and in any order. Each row needs an owner; other numbers that are not set
 * are 0. The builder keeps its room from page to page, and no call but those for
 * extras and owners makes an object.
 *
 * @example Build the page of an empty directory
 * ```ts
 * import { AttributePage, AttributePageBuilder } from "@snap/manifest";
 * import { strictEqual } from "node:assert/strict";
 *
 * const text = new TextEncoder();
 * const builder = new AttributePageBuilder();
 * builder.setTreeId(new Uint8Array(32));
 * const row = builder.addRow();
 * builder.setOwner(row, builder.internOwner(1000, 100, text.encode("ann"), text.encode("users")));
 * builder.setTimes(row, 1795153578, 123456789, 1795153578, 123456789);
 *
 * strictEqual(AttributePage.decode(builder.build()).uid(0), 1000);
 * ```
 */
export class AttributePageBuilder {
  #rows = 0;
  #directories = 0;
  readonly #treeId: Uint8Array = new Uint8Array(ID_SIZE);
  #columns: PageColumns = new PageColumns();
  #extras: ExtrasColumn = new ExtrasColumn();
  #pageIds: Uint8Array = new Uint8Array(0);
  readonly #owners: PageOwners = new PageOwners();

  /**
   * Makes a builder.
   *
   * @param rowsHint How many rows to make room for; it grows past that.
   */
  constructor(rowsHint = 0) {
    this.#columns.makeRoom(rowsHint);
  }

  /** Number of rows added since the last {@linkcode AttributePageBuilder.clear}. */
  get rows(): number {
    return this.#rows;
  }

  /** Forgets all rows, page ids and numbers of owners, and keeps the room unless it is large. */
  clear(): void {
    if (this.#rows > ROWS_KEPT_MAX) {
      this.#columns = new PageColumns();
      this.#extras = new ExtrasColumn();
      this.#pageIds = new Uint8Array(0);
    }
    this.#rows = 0;
    this.#directories = 0;
    this.#extras.clear();
    this.#owners.clear();
  }

  /**
   * Sets the id of the tree that the page belongs to.
   *
   * @param ids Where its 32 bytes are.
   * @param idStart Their offset.
   */
  setTreeId(ids: Uint8Array, idStart = 0): void {
    copyRun(ids, idStart, idStart + ID_SIZE, this.#treeId, 0);
  }

  /**
   * Adds the page id of the next sub-directory, in row order.
   *
   * @param ids Where its 32 bytes are.
   * @param idStart Their offset.
   */
  addPageId(ids: Uint8Array, idStart = 0): void {
    const at = ID_SIZE * this.#directories++;
    this.#pageIds = growBytes(this.#pageIds, at + ID_SIZE);
    copyRun(ids, idStart, idStart + ID_SIZE, this.#pageIds, at);
  }

  /**
   * Adds a row of zeros.
   *
   * @returns The number of the row.
   */
  addRow(): number {
    const row = this.#rows++;
    this.#columns.makeRoom(this.#rows);
    this.#columns.zero(row);
    return row;
  }

  /**
   * Sets the times of a row. Seconds further than 2^53 − 1 from 1970 become that.
   *
   * @param row The row.
   * @param mtimeSec Modification time, whole seconds since 1970.
   * @param mtimeNs Nanoseconds after that second.
   * @param ctimeSec Change time, whole seconds since 1970.
   * @param ctimeNs Nanoseconds after that second.
   * @throws {RangeError} If the row was not added, or nanoseconds are not below 10^9.
   */
  setTimes(
    row: number,
    mtimeSec: number,
    mtimeNs: number,
    ctimeSec: number,
    ctimeNs: number,
  ): void {
    this.#checkRow(row);
    if (
      !(mtimeNs >= 0 && mtimeNs <= NS_MAX && ctimeNs >= 0 && ctimeNs <= NS_MAX)
    ) {
      throw new RangeError(
        `Cannot set times as nanoseconds must be 0 to ${NS_MAX}: found ${mtimeNs} and ${ctimeNs}`,
      );
    }
    this.#columns.mtimeSec[row] = Math.max(
      -TIME_SEC_MAX,
      Math.min(mtimeSec, TIME_SEC_MAX),
    );
    this.#columns.mtimeNs[row] = mtimeNs;
    this.#columns.ctimeSec[row] = Math.max(
      -TIME_SEC_MAX,
      Math.min(ctimeSec, TIME_SEC_MAX),
    );
    this.#columns.ctimeNs[row] = ctimeNs;
  }

  /**
   * Sets by what the file of a row was known to its file system.
   *
   * @param row The row.
   * @param inodeLow Lower 32 bits of the inode number.
   * @param inodeHigh Upper 32 bits of the inode number.
   * @param nlink Link count.
   * @param device Small number of the device, 0 for the device of the root.
   * @throws {RangeError} If the row was not added, or the device is above 65535.
   */
  setInode(
    row: number,
    inodeLow: number,
    inodeHigh: number,
    nlink: number,
    device: number,
  ): void {
    this.#checkRow(row);
    if (!(device >= 0 && device <= DEVICE_MAX)) {
      throw new RangeError(
        `Cannot set inode as a device must be 0 to ${DEVICE_MAX}: current value is ${device}`,
      );
    }
    this.#columns.inodeLow[row] = inodeLow;
    this.#columns.inodeHigh[row] = inodeHigh;
    this.#columns.nlink[row] = nlink;
    this.#columns.device[row] = device;
  }

  /**
   * Sets the mode of a row.
   *
   * @param row The row.
   * @param mode The 12 permission bits, without the bits of the kind.
   * @throws {RangeError} If the row was not added, or the mode has more bits.
   */
  setMode(row: number, mode: number): void {
    this.#checkRow(row);
    if (!(mode >= 0 && mode <= MODE_MAX)) {
      throw new RangeError(
        `Cannot set mode as it must have 12 bits: current value is ${mode}`,
      );
    }
    this.#columns.mode[row] = mode;
  }

  /**
   * Sets the owner of a row.
   *
   * @param row The row.
   * @param owner A number from {@linkcode AttributePageBuilder.internOwner}.
   * @throws {RangeError} If the row was not added, or the number is not one.
   */
  setOwner(row: number, owner: number): void {
    this.#checkRow(row);
    if (!(owner >= 0 && owner < this.#owners.count)) {
      throw new RangeError(
        `Cannot set owner as it must be interned: current value is ${owner}`,
      );
    }
    this.#columns.owner[row] = owner;
  }

  /**
   * Numbers an owner: the same (uid, gid, user name, group name), the same number.
   *
   * @param uid User id.
   * @param gid Group id.
   * @param userName User name, empty when it is not known.
   * @param groupName Group name, empty when it is not known.
   * @returns A number that is good until {@linkcode AttributePageBuilder.clear}.
   */
  internOwner(
    uid: number,
    gid: number,
    userName: Uint8Array,
    groupName: Uint8Array,
  ): number {
    return this.#owners.intern(uid, gid, userName, groupName);
  }

  /**
   * Sets the extras of a row, once.
   *
   * @param row The row.
   * @param extras What `encodeExtras` made; nothing is set when it is empty.
   * @throws {RangeError} If the row was not added.
   * @throws {ManifestSyntaxError} If the bytes are not canonical extras.
   */
  setExtras(row: number, extras: Uint8Array): void {
    this.#checkRow(row);
    if (extras.length === 0) return;
    checkExtras(extras, 0, extras.length);
    this.#extras.add(row, extras);
  }

  /**
   * Adds a row that is equal to one of another page: numbers, owner and extras. The
   * device number is copied as it is, which is right only within one save.
   *
   * @param page The other page.
   * @param from The row there.
   * @returns The number of the row here.
   */
  copyRow(page: AttributePage, from: number): number {
    const row = this.#rows++;
    const columns = this.#columns;
    columns.makeRoom(this.#rows);
    columns.mtimeSec[row] = page.mtimeSec(from);
    columns.mtimeNs[row] = page.mtimeNs(from);
    columns.ctimeSec[row] = page.ctimeSec(from);
    columns.ctimeNs[row] = page.ctimeNs(from);
    columns.inodeLow[row] = page.inodeLow(from);
    columns.inodeHigh[row] = page.inodeHigh(from);
    columns.nlink[row] = page.nlink(from);
    columns.mode[row] = page.mode(from);
    columns.device[row] = page.device(from);
    columns.owner[row] = this.#owners.internFrom(page, from);
    const extras = page.extraRows === 0 ? undefined : page.extrasBytes(from);
    if (extras !== undefined) this.#extras.add(row, extras);
    return row;
  }

  /**
   * Makes the bytes of the page. The rows stay, until {@linkcode AttributePageBuilder.clear}.
   *
   * @returns New canonical bytes.
   * @throws {RangeError} If there is no row, a row has no owner, there are more page ids than rows leave room for, or extras were set twice.
   */
  build(): Uint8Array {
    const rows = this.#rows;
    if (this.#directories >= rows) {
      throw new RangeError(
        `Cannot build attribute page as it needs more rows than page ids: found ${rows} rows, ${this.#directories} page ids`,
      );
    }
    const { numbers, used, namesSize } = this.#owners.order(
      this.#columns.owner,
      rows,
    );
    const counts = {
      rows,
      directories: this.#directories,
      owners: used.length,
      ownerNamesSize: namesSize,
      extraRows: this.#extras.count,
      extrasSize: this.#extras.size,
    };
    const layout = new PageLayout(counts);
    const bytes = new Uint8Array(layout.size);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, PAGE_MAGIC, true);
    view.setUint32(4, counts.rows, true);
    view.setUint32(8, counts.directories, true);
    view.setUint32(12, counts.owners, true);
    view.setUint32(16, counts.ownerNamesSize, true);
    view.setUint32(20, counts.extraRows, true);
    view.setUint32(24, counts.extrasSize, true);
    bytes.set(this.#treeId, PAGE_TREE_ID);
    bytes.set(
      this.#pageIds.subarray(0, ID_SIZE * counts.directories),
      PAGE_HEADER_SIZE,
    );
    this.#columns.write(view, layout, rows);
    for (let row = 0; row < rows; row++) {
      view.setUint32(
        layout.owner + 4 * row,
        numbers[this.#columns.owner[row]],
        true,
      );
    }
    this.#owners.write(bytes, view, layout, used);
    this.#extras.write(bytes, view, layout);
    return bytes;
  }

  #checkRow(row: number): void {
    if (!(row >= 0 && row < this.#rows)) {
      throw new RangeError(
        `Cannot set row as there are ${this.#rows}: current value is ${row}`,
      );
    }
  }
}
