import { checkBytes } from "@snap/hash";
import { compareRuns, ID_SIZE, WORD } from "../bytes.ts";
import {
  checkTree,
  readTreeCount,
  TREE_HEADER_SIZE,
  TREE_ROW_SIZE,
} from "./check_tree.ts";
import { EntryKind } from "../entry_kind.ts";

/**
 * The entries of one directory, in byte order of their names: a view over
 * canonical bytes.
 *
 * Rows are numbered from 0. Accessors read the bytes and allocate nothing, but for
 * those that return bytes, which are views. A row must be at least 0 and below
 * {@linkcode Tree.count}; this is not checked again for each call.
 *
 * @example Look up an entry
 * ```ts
 * import { EntryKind } from "@snap/manifest/extras";
 * import { joinPieces } from "@snap/manifest";
 * import { Tree } from "@snap/manifest";
 * import { TreeDraft } from "@snap/manifest/draft";
 * import { strictEqual } from "node:assert/strict";
 *
 * const name = new TextEncoder().encode("pipe");
 * const draft = new TreeDraft({ rowsMax: 1, names: name, ends: Uint32Array.of(4) });
 * draft.add(EntryKind.fifo);
 *
 * const tree = Tree.decode(joinPieces(draft.finish()));
 * strictEqual(tree.count, 1);
 * strictEqual(tree.kind(tree.find(name)), EntryKind.fifo);
 * ```
 */
export class Tree {
  /** The bytes that were decoded; not a copy. */
  readonly bytes: Uint8Array;
  /** Number of rows. */
  readonly count: number;
  readonly #view: DataView;
  readonly #values: number;
  readonly #ends: number;
  readonly #kinds: number;
  readonly #names: number;
  readonly #targets: number;

  private constructor(bytes: Uint8Array, view: DataView, count: number) {
    this.bytes = bytes;
    this.count = count;
    this.#view = view;
    this.#values = TREE_HEADER_SIZE + 32 * count;
    this.#ends = TREE_HEADER_SIZE + 40 * count;
    this.#kinds = TREE_HEADER_SIZE + 44 * count;
    this.#names = TREE_HEADER_SIZE + TREE_ROW_SIZE * count;
    this.#targets = bytes.length - view.getUint32(12, true);
  }

  /**
   * Checks that bytes are one canonical tree, and views them.
   *
   * @param bytes All bytes of the tree, at any offset of their buffer. They are kept, and must not change.
   * @throws {ManifestSyntaxError} If the bytes are anything but one canonical tree.
   */
  static decode(bytes: Uint8Array): Tree {
    checkBytes(bytes, "tree");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new Tree(bytes, view, checkTree(bytes, view));
  }

  /**
   * Views the bytes of a tree again, or a copy of them, without a check. For bytes
   * that {@linkcode Tree.decode} has accepted in this process, and no others.
   *
   * @param bytes All bytes of the tree. They are kept, and must not change.
   */
  static fromDecoded(bytes: Uint8Array): Tree {
    checkBytes(bytes, "tree");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new Tree(bytes, view, readTreeCount(view));
  }

  /**
   * Kind of an entry.
   *
   * @returns Its kind, an {@linkcode EntryKind}.
   */
  kind(row: number): EntryKind {
    return this.bytes[this.#kinds + row] as EntryKind;
  }

  /**
   * Where the id of an entry is.
   *
   * @returns Offset in {@linkcode Tree.bytes} of 32 bytes.
   */
  idStart(row: number): number {
    return TREE_HEADER_SIZE + ID_SIZE * row;
  }

  /**
   * Id of an entry: of a file's content, of a directory's tree, else zeros.
   *
   * @returns A view of 32 bytes.
   */
  idBytes(row: number): Uint8Array {
    const start = TREE_HEADER_SIZE + ID_SIZE * row;
    return this.bytes.subarray(start, start + ID_SIZE);
  }

  /** Size of an entry in bytes: of a file's content, of a link's target, else 0. */
  size(row: number): number {
    const at = this.#values + 8 * row;
    const kind = this.bytes[this.#kinds + row];
    if (kind <= EntryKind.executable) {
      return this.#view.getUint32(at, true) +
        this.#view.getUint32(at + 4, true) * WORD;
    }
    return kind === EntryKind.symlink ? this.#view.getUint32(at + 4, true) : 0;
  }

  /**
   * Where the name of an entry begins.
   *
   * @returns Offset in {@linkcode Tree.bytes}.
   */
  nameStart(row: number): number {
    return row === 0
      ? this.#names
      : this.#names + this.#view.getUint32(this.#ends + 4 * (row - 1), true);
  }

  /**
   * Where the name of an entry ends.
   *
   * @returns Offset in {@linkcode Tree.bytes}, one past its last byte.
   */
  nameEnd(row: number): number {
    return this.#names + this.#view.getUint32(this.#ends + 4 * row, true);
  }

  /**
   * Name of an entry.
   *
   * @returns A view of 1 to 255 bytes.
   */
  name(row: number): Uint8Array {
    return this.bytes.subarray(this.nameStart(row), this.nameEnd(row));
  }

  /**
   * Target of a symbolic link.
   *
   * @returns A view of the target; empty when the entry is no link.
   */
  target(row: number): Uint8Array {
    if (this.kind(row) !== EntryKind.symlink) return this.bytes.subarray(0, 0);
    const at = this.#values + 8 * row;
    const start = this.#targets + this.#view.getUint32(at, true);
    return this.bytes.subarray(
      start,
      start + this.#view.getUint32(at + 4, true),
    );
  }

  /**
   * Major number of a device.
   *
   * @returns The number; 0 when the entry is no device.
   */
  deviceMajor(row: number): number {
    return this.kind(row) < EntryKind.characterDevice
      ? 0
      : this.#view.getUint32(this.#values + 8 * row, true);
  }

  /**
   * Minor number of a device.
   *
   * @returns The number; 0 when the entry is no device.
   */
  deviceMinor(row: number): number {
    return this.kind(row) < EntryKind.characterDevice
      ? 0
      : this.#view.getUint32(this.#values + 8 * row + 4, true);
  }

  /**
   * Compares the name of an entry with other bytes.
   *
   * @param name Where the other name is.
   * @param start Its first byte.
   * @param end One past its last byte.
   * @returns Below 0 when the entry comes first, 0 when the names are equal, else above 0.
   */
  compareName(
    row: number,
    name: Uint8Array,
    start: number,
    end: number,
  ): number {
    return compareRuns(
      this.bytes,
      this.nameStart(row),
      this.nameEnd(row),
      name,
      start,
      end,
    );
  }

  /**
   * Finds an entry by its name.
   *
   * @param name Where the name is.
   * @param start Its first byte.
   * @param end One past its last byte.
   * @returns Its row, or -1.
   */
  find(name: Uint8Array, start = 0, end: number = name.length): number {
    checkBytes(name, "name");
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order = this.compareName(middle, name, start, end);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /**
   * Counts the sub-directories in the rows before one. For the row of a directory
   * this is its number among the sub-directories, by which a page names its page.
   *
   * @param row The row, or {@linkcode Tree.count} for the number of all sub-directories.
   * @returns The number of rows before `row` that are directories.
   */
  directoriesBefore(row: number): number {
    let directories = 0;
    for (let at = this.#kinds; at < this.#kinds + row; at++) {
      if (this.bytes[at] === EntryKind.directory) directories++;
    }
    return directories;
  }
}
