/**
 * A tree of which not everything is known yet, in few bytes a row.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { ByteBlocks } from "../byte_blocks.ts";
import { compareRuns, EMPTY_ID, equalIds, ID_SIZE, WORD } from "../bytes.ts";
import { TREE_HEADER_SIZE, TREE_MAGIC, TREE_ROW_SIZE } from "./check_tree.ts";
import { copyOf } from "../copy_of.ts";
import { EntryKind, isDeviceKind, isFileKind } from "../entry_kind.ts";
import { KeptRows } from "./kept_rows.ts";
import { FILE_SIZE_MAX } from "../limits.ts";
import {
  type MakeBytes,
  MemoryBytes,
  type ObjectBytes,
  type WritableBytes,
} from "../random_bytes.ts";
import { checkName, checkTarget } from "../path/safe_name.ts";

/** Mark of a row that is still to be set. */
const UNSET = 0x80;

/** The names that a {@linkcode TreeDraft} is about. */
export interface DraftNames {
  /** Rows at most. */
  readonly rowsMax: number;
  /** Names in ascending order, one after the other. */
  readonly names: Uint8Array;
  /** Where each name ends. */
  readonly ends: Uint32Array;
}

/**
 * A tree whose names are known first, what they name later, and in any order.
 * Names are used where they are; ids and sizes take 40 bytes a row, in memory or
 * wherever the caller puts them; kinds take a byte. Rows may be left out again.
 *
 * @example
 * ```ts
 * import { EntryKind } from "@snap/manifest/extras";
 * import { joinPieces } from "@snap/manifest";
 * import { Tree } from "@snap/manifest";
 * import { TreeDraft } from "@snap/manifest/draft";
 * import { equal } from "node:assert/strict";
 *
 * const names = new TextEncoder().encode("inpipe");
 * const draft = new TreeDraft({ rowsMax: 2, names, ends: Uint32Array.of(2, 6) });
 * const gone = draft.add(EntryKind.file);
 * draft.add(EntryKind.fifo);
 * draft.leaveOut(gone);
 * equal(Tree.decode(joinPieces(draft.finish())).count, 1);
 * ```
 */
export class TreeDraft {
  readonly #names: DraftNames;
  /** Ids, then values. */
  readonly #cells: WritableBytes;
  readonly #values: number;
  /** Kinds; 0 is left out. */
  readonly #kinds: Uint8Array;
  #targets: ByteBlocks | undefined;
  #count = 0;

  /**
   * Makes a draft without rows.
   *
   * @param make Makes room for ids and sizes; in memory if absent.
   */
  constructor(names: DraftNames, make: MakeBytes = MemoryBytes.ofSize) {
    this.#names = names;
    this.#values = ID_SIZE * names.rowsMax;
    this.#cells = make((ID_SIZE + 8) * names.rowsMax);
    this.#kinds = new Uint8Array(names.rowsMax);
  }

  /** Rows added so far, those left out too. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds the row of the next name.
   *
   * @param kind The kind of the entry; 0 leaves it out at once.
   * @throws {RangeError} If there is no name left.
   */
  add(kind: EntryKind | 0): number {
    const row = this.#count;
    const { rowsMax } = this.#names;
    if (row >= rowsMax) {
      throw new RangeError(
        `Cannot add to tree: its ${rowsMax} rows are full`,
      );
    }
    this.#kinds[row] = kind === 0 || kind === EntryKind.fifo
      ? kind
      : kind | UNSET;
    this.#count++;
    return row;
  }

  /**
   * Where the name of a row begins.
   *
   * @returns Its offset in the names.
   */
  nameStart(row: number): number {
    return row === 0 ? 0 : this.#names.ends[row - 1];
  }

  /**
   * The kind of a row.
   *
   * @returns Its kind, 0 if it is left out.
   */
  kind(row: number): EntryKind | 0 {
    return (this.#kinds[row] & ~UNSET) as EntryKind | 0;
  }

  /**
   * Leaves a row out.
   *
   * @throws {RangeError} If it is a link with a target.
   */
  leaveOut(row: number): void {
    if (this.#kinds[row] === EntryKind.symlink) {
      fail(row, "link without a target");
    }
    this.#kinds[row] = 0;
  }

  /**
   * Says whether the owner may execute a file.
   *
   * @param kind The kind it has.
   * @throws {RangeError} If the row, or the kind, is of no file.
   */
  setFileKind(row: number, kind: EntryKind): void {
    if (!isFileKind(this.kind(row)) || !isFileKind(kind)) fail(row, "file");
    this.#kinds[row] = kind | (this.#kinds[row] & UNSET);
  }

  /**
   * Sets what a file holds.
   *
   * @param size Size of the content in bytes.
   * @param ids Where the 32 bytes of the id of the content are.
   * @param idStart Their offset.
   * @throws {RangeError} If the row is no file, the size is not one, or the id of empty content is not BLAKE3 of nothing.
   */
  setContent(row: number, size: number, ids: Uint8Array, idStart = 0): void {
    checkBytes(ids, "id");
    if (!isFileKind(this.kind(row))) fail(row, "file");
    if (!(size >= 0 && size <= FILE_SIZE_MAX && Number.isInteger(size))) {
      throw new RangeError(
        `Cannot set content of ${size} bytes: sizes go from 0 to 2^53 - 1`,
      );
    }
    if ((size === 0) !== equalIds(ids, idStart, EMPTY_ID, 0)) {
      throw new RangeError(
        `Cannot set content of ${size} bytes: size 0 and the id of nothing go together`,
      );
    }
    this.#setId(row, ids, idStart);
    this.#setValue(row, size, Math.floor(size / WORD));
  }

  /**
   * Sets the tree of a directory.
   *
   * @param ids Where the 32 bytes of the id of the tree are.
   * @param idStart Their offset.
   * @throws {RangeError} If the row is no directory.
   */
  setTree(row: number, ids: Uint8Array, idStart = 0): void {
    checkBytes(ids, "id");
    if (this.kind(row) !== EntryKind.directory) fail(row, "directory");
    this.#setId(row, ids, idStart);
    this.#setValue(row, 0, 0);
  }

  /**
   * Notes what the tree of a directory was; what it is has still to be set.
   *
   * @param ids Where the 32 bytes of the id are.
   * @param idStart Their offset.
   */
  expectTree(row: number, ids: Uint8Array, idStart = 0): void {
    this.#setId(row, ids, idStart);
  }

  /**
   * The id that was set or noted last.
   *
   * @returns A copy.
   */
  idBytes(row: number): Uint8Array {
    return copyOf(this.#cells, ID_SIZE * row, ID_SIZE * row + ID_SIZE);
  }

  /**
   * Sets the target of a symbolic link. Links are set in the order of their rows, each once.
   *
   * @param row The row of a link.
   * @param target The target: 1 to 4095 bytes without NUL.
   * @throws {RangeError} If the row is no link or has a target, or the target is not one.
   */
  setTarget(row: number, target: Uint8Array): void {
    checkBytes(target, "target");
    if (this.#kinds[row] !== (EntryKind.symlink | UNSET)) {
      fail(row, "link without a target");
    }
    const fault = checkTarget(target, 0, target.length);
    if (fault !== undefined) {
      throw new RangeError(`Cannot set target as ${fault}`);
    }
    const targets = this.#targets ??= new ByteBlocks();
    this.#setValue(row, targets.size, target.length);
    targets.append(target);
  }

  /**
   * Sets the numbers of a device.
   *
   * @param major The major number, 32 bits.
   * @param minor The minor number, 32 bits.
   * @throws {RangeError} If the row is no device.
   */
  setDevice(row: number, major: number, minor: number): void {
    if (!isDeviceKind(this.kind(row))) fail(row, "device");
    this.#setValue(row, major, minor);
  }

  /**
   * Size of a file's content.
   *
   * @param row The row of a file that was set.
   * @returns The size in bytes.
   */
  size(row: number): number {
    const at = this.#values + 8 * row;
    return this.#cells.u32(at) + this.#cells.u32(at + 4) * WORD;
  }

  /**
   * The rows that are not left out.
   *
   * @internal
   */
  get keptRows(): KeptRows {
    return KeptRows.of(this.#kinds, this.#count);
  }

  /**
   * Ends the draft.
   *
   * @returns The canonical bytes of the tree; the draft must not change any more.
   * @throws {RangeError} If a name is not safe or does not follow the one before, or a row was added and never set.
   */
  finish(): ObjectBytes {
    const rows = this.keptRows;
    let namesSize = 0;
    rows.forEach((row) => {
      if ((this.#kinds[row] & UNSET) !== 0) {
        throw new RangeError(
          `Cannot finish tree: its row ${row} is not set`,
        );
      }
      this.#checkName(row);
      namesSize += this.#names.ends[row] - this.nameStart(row);
    });
    const targetsSize = this.#targets?.size ?? 0;
    const header = new Uint8Array(TREE_HEADER_SIZE);
    const view = new DataView(header.buffer);
    view.setUint32(0, TREE_MAGIC, true);
    view.setUint32(4, rows.count, true);
    view.setUint32(8, namesSize, true);
    view.setUint32(12, targetsSize, true);
    return {
      size: TREE_HEADER_SIZE + TREE_ROW_SIZE * rows.count + namesSize +
        targetsSize,
      pieces: () => this.#pieces(header, rows),
    };
  }

  *#pieces(header: Uint8Array, rows: KeptRows): Generator<Uint8Array> {
    yield header;
    yield* rows.cells(this.#cells, 0, ID_SIZE);
    yield* rows.cells(this.#cells, this.#values, 8);
    let end = 0;
    yield* rows.numbers((row) =>
      end += this.#names.ends[row] - this.nameStart(row)
    );
    yield* rows.pieces((first, last) => [this.#kinds.subarray(first, last)]);
    const { names } = this.#names;
    yield* rows.pieces((first, last) => [
      names.subarray(this.nameStart(first), this.nameStart(last)),
    ]);
    const targets = this.#targets;
    if (targets !== undefined) yield* targets.pieces(0, targets.size);
  }

  #checkName(row: number): void {
    const { names, ends } = this.#names;
    const start = this.nameStart(row), end = ends[row];
    const fault = checkName(names, start, end);
    if (fault !== undefined) {
      throw new RangeError(`Cannot finish tree as ${fault}`);
    }
    if (row === 0) return;
    const before = this.nameStart(row - 1);
    if (compareRuns(names, before, start, names, start, end) < 0) return;
    throw new RangeError(
      `Cannot finish tree: the name of row ${row} is not above the one before`,
    );
  }

  #setId(row: number, ids: Uint8Array, idStart: number): void {
    this.#cells.write(ID_SIZE * row, ids, idStart, idStart + ID_SIZE);
  }

  #setValue(row: number, low: number, high: number): void {
    const at = this.#values + 8 * row;
    this.#cells.setU32(at, low);
    this.#cells.setU32(at + 4, high);
    this.#kinds[row] &= ~UNSET;
  }
}

function fail(row: number, what: string): never {
  throw new RangeError(
    `Cannot set row ${row}: it is of no ${what}`,
  );
}
