import {
  compareRuns,
  copyRun,
  EMPTY_ID,
  equalIds,
  ID_SIZE,
  WORD,
} from "./_bytes.ts";
import { TREE_HEADER_SIZE, TREE_MAGIC, TREE_ROW_SIZE } from "./_check_tree.ts";
import { growBytes, growU32 } from "./_columns.ts";
import { EntryKind, isDeviceKind, isFileKind } from "./entry_kind.ts";
import { FILE_SIZE_MAX } from "./limits.ts";
import { checkName, checkTarget } from "./safe_name.ts";
import type { Tree } from "./tree.ts";

/** Rows whose room is kept when a builder starts again. */
const ROWS_KEPT_MAX = 65536;

/**
 * Builds the canonical bytes of trees, one after the other.
 *
 * Rows are added in ascending byte order of their names; what a row holds may be
 * set later and in any order, since ids arrive when content has been read. The
 * builder keeps its room from tree to tree, and no call makes an object per row.
 *
 * @example Build a tree of one link
 * ```ts
 * import { EntryKind, Tree, TreeBuilder } from "@snap/manifest";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const text = new TextEncoder();
 * const builder = new TreeBuilder();
 * const row = builder.add(text.encode("link"), 0, 4, EntryKind.symlink);
 * builder.setTarget(row, text.encode("../there"));
 *
 * const tree = Tree.decode(builder.build());
 * deepStrictEqual(tree.target(row), text.encode("../there"));
 * ```
 */
export class TreeBuilder {
  #count = 0;
  #ids: Uint8Array = new Uint8Array(0);
  #lows: Uint32Array = new Uint32Array(0);
  #highs: Uint32Array = new Uint32Array(0);
  #ends: Uint32Array = new Uint32Array(0);
  #kinds: Uint8Array = new Uint8Array(0);
  #isSet: Uint8Array = new Uint8Array(0);
  #names: Uint8Array = new Uint8Array(0);
  #targets: Uint8Array = new Uint8Array(0);
  #targetsSize = 0;

  /**
   * Makes a builder.
   *
   * @param rowsHint How many rows to make room for; it grows past that.
   */
  constructor(rowsHint = 0) {
    if (rowsHint > 0) this.#makeRoom(rowsHint);
  }

  /** Number of rows added since the last {@linkcode TreeBuilder.clear}. */
  get count(): number {
    return this.#count;
  }

  /** Size in bytes of the tree as it stands. */
  get size(): number {
    return TREE_HEADER_SIZE + TREE_ROW_SIZE * this.#count + this.#namesSize() +
      this.#targetsSize;
  }

  /** Forgets all rows, and keeps the room unless it is large. */
  clear(): void {
    if (this.#count > ROWS_KEPT_MAX) {
      this.#ids =
        this.#kinds =
        this.#isSet =
        this.#names =
        this.#targets =
          new Uint8Array(0);
      this.#lows = this.#highs = this.#ends = new Uint32Array(0);
    }
    this.#count = 0;
    this.#targetsSize = 0;
  }

  /**
   * Adds a row.
   *
   * @param names Where the name is.
   * @param start Its first byte.
   * @param end One past its last byte.
   * @param kind The kind of the entry.
   * @returns The number of the row.
   * @throws {RangeError} If the name is not safe or does not follow the one before, or the kind is unknown.
   */
  add(names: Uint8Array, start: number, end: number, kind: EntryKind): number {
    const fault = checkName(names, start, end);
    if (fault !== undefined) {
      throw new RangeError(`Cannot add to tree as ${fault}`);
    }
    if (!(kind >= EntryKind.file && kind <= EntryKind.blockDevice)) {
      throw new RangeError(
        `Cannot add to tree as a kind must be 1 to 7: current value is ${kind}`,
      );
    }
    const row = this.#count;
    const namesSize = this.#namesSize();
    const before = row > 1 ? this.#ends[row - 2] : 0;
    if (
      row > 0 &&
      compareRuns(this.#names, before, namesSize, names, start, end) >= 0
    ) {
      throw new RangeError(
        `Cannot add to tree as names must ascend and never repeat: row ${row}`,
      );
    }
    if (row === this.#kinds.length) this.#makeRoom(row + 1);
    this.#names = growBytes(this.#names, namesSize + end - start);
    copyRun(names, start, end, this.#names, namesSize);
    this.#ends[row] = namesSize + end - start;
    this.#kinds[row] = kind;
    this.#lows[row] = 0;
    this.#highs[row] = 0;
    this.#isSet[row] = kind === EntryKind.fifo ? 1 : 0;
    if (kind > EntryKind.directory) {
      this.#ids.fill(0, row * ID_SIZE, row * ID_SIZE + ID_SIZE);
    }
    this.#count++;
    return row;
  }

  /**
   * Sets what a file holds.
   *
   * @param row The row of a `file` or `executable`.
   * @param size Size of the content in bytes.
   * @param ids Where the 32 bytes of the id of the content are.
   * @param idStart Their offset.
   * @throws {RangeError} If the row is no file, the size is not one, or the id of empty content is not BLAKE3 of nothing.
   */
  setContent(row: number, size: number, ids: Uint8Array, idStart = 0): void {
    if (row >= this.#count || !isFileKind(this.#kinds[row])) {
      this.#fail(row, "file");
    }
    if (!(size >= 0 && size <= FILE_SIZE_MAX && Number.isInteger(size))) {
      throw new RangeError(
        `Cannot set content as size must be 0 to 2^53 - 1: current value is ${size}`,
      );
    }
    if ((size === 0) !== equalIds(ids, idStart, EMPTY_ID, 0)) {
      throw new RangeError(
        `Cannot set content as size 0 and the id of nothing go together: current value is ${size}`,
      );
    }
    copyRun(ids, idStart, idStart + ID_SIZE, this.#ids, row * ID_SIZE);
    this.#lows[row] = size >>> 0;
    this.#highs[row] = Math.floor(size / WORD);
    this.#isSet[row] = 1;
  }

  /**
   * Sets the tree of a directory.
   *
   * @param row The row of a `directory`.
   * @param ids Where the 32 bytes of the id of the tree are.
   * @param idStart Their offset.
   * @throws {RangeError} If the row is no directory.
   */
  setTree(row: number, ids: Uint8Array, idStart = 0): void {
    if (row >= this.#count || this.#kinds[row] !== EntryKind.directory) {
      this.#fail(row, "directory");
    }
    copyRun(ids, idStart, idStart + ID_SIZE, this.#ids, row * ID_SIZE);
    this.#isSet[row] = 1;
  }

  /**
   * Sets the target of a symbolic link, once.
   *
   * @param row The row of a `symlink`.
   * @param target The target: 1 to 4095 bytes without NUL.
   * @throws {RangeError} If the row is no link or has a target, or the target is not one.
   */
  setTarget(row: number, target: Uint8Array): void {
    if (
      row >= this.#count || this.#kinds[row] !== EntryKind.symlink ||
      this.#isSet[row] !== 0
    ) {
      this.#fail(row, "link without a target");
    }
    const fault = checkTarget(target, 0, target.length);
    if (fault !== undefined) {
      throw new RangeError(`Cannot set target as ${fault}`);
    }
    const start = this.#targetsSize;
    this.#targets = growBytes(this.#targets, start + target.length);
    this.#targets.set(target, start);
    this.#targetsSize += target.length;
    this.#lows[row] = start;
    this.#highs[row] = target.length;
    this.#isSet[row] = 1;
  }

  /**
   * Sets the numbers of a device.
   *
   * @param row The row of a `characterDevice` or `blockDevice`.
   * @param major The major number, 32 bits.
   * @param minor The minor number, 32 bits.
   * @throws {RangeError} If the row is no device.
   */
  setDevice(row: number, major: number, minor: number): void {
    if (row >= this.#count || !isDeviceKind(this.#kinds[row])) {
      this.#fail(row, "device");
    }
    this.#lows[row] = major;
    this.#highs[row] = minor;
    this.#isSet[row] = 1;
  }

  /**
   * Adds a row that is equal to one of another tree.
   *
   * @param tree The other tree.
   * @param from The row there.
   * @returns The number of the row here.
   * @throws {RangeError} If its name does not follow the one before.
   */
  copyRow(tree: Tree, from: number): number {
    const kind = tree.kind(from);
    const row = this.add(
      tree.bytes,
      tree.nameStart(from),
      tree.nameEnd(from),
      kind,
    );
    if (isFileKind(kind)) {
      this.setContent(row, tree.size(from), tree.bytes, tree.idStart(from));
    } else if (kind === EntryKind.directory) {
      this.setTree(row, tree.bytes, tree.idStart(from));
    } else if (kind === EntryKind.symlink) {
      this.setTarget(row, tree.target(from));
    } else if (kind !== EntryKind.fifo) {
      this.setDevice(row, tree.deviceMajor(from), tree.deviceMinor(from));
    }
    return row;
  }

  /**
   * Makes the bytes of the tree. The rows stay, until {@linkcode TreeBuilder.clear}.
   *
   * @returns New canonical bytes.
   * @throws {RangeError} If a row was added and never set.
   */
  build(): Uint8Array {
    const count = this.#count;
    const bytes = new Uint8Array(this.size);
    const view = new DataView(bytes.buffer);
    const namesSize = this.#namesSize();
    view.setUint32(0, TREE_MAGIC, true);
    view.setUint32(4, count, true);
    view.setUint32(8, namesSize, true);
    view.setUint32(12, this.#targetsSize, true);
    bytes.set(this.#ids.subarray(0, ID_SIZE * count), TREE_HEADER_SIZE);
    const values = TREE_HEADER_SIZE + 32 * count;
    const ends = TREE_HEADER_SIZE + 40 * count;
    const names = TREE_HEADER_SIZE + TREE_ROW_SIZE * count;
    const targets = names + namesSize;
    let targetsEnd = 0;
    for (let row = 0; row < count; row++) {
      if (this.#isSet[row] === 0) {
        throw new RangeError(
          `Cannot build tree as all its rows must be set: row ${row} is not`,
        );
      }
      const high = this.#highs[row];
      let low = this.#lows[row];
      if (this.#kinds[row] === EntryKind.symlink) {
        copyRun(this.#targets, low, low + high, bytes, targets + targetsEnd);
        low = targetsEnd;
        targetsEnd += high;
      }
      view.setUint32(values + 8 * row, low, true);
      view.setUint32(values + 8 * row + 4, high, true);
      view.setUint32(ends + 4 * row, this.#ends[row], true);
    }
    bytes.set(this.#kinds.subarray(0, count), TREE_HEADER_SIZE + 44 * count);
    bytes.set(this.#names.subarray(0, namesSize), names);
    return bytes;
  }

  #namesSize(): number {
    return this.#count === 0 ? 0 : this.#ends[this.#count - 1];
  }

  #makeRoom(rows: number): void {
    this.#kinds = growBytes(this.#kinds, rows);
    const room = this.#kinds.length;
    this.#ids = growBytes(this.#ids, ID_SIZE * room);
    this.#lows = growU32(this.#lows, room);
    this.#highs = growU32(this.#highs, room);
    this.#ends = growU32(this.#ends, room);
    this.#isSet = growBytes(this.#isSet, room);
  }

  #fail(row: number, what: string): never {
    throw new RangeError(
      `Cannot set row as it must be of a ${what}: current value is ${row}`,
    );
  }
}
