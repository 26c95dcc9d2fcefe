/**
 * A tree in bytes that are not all in memory.
 *
 * @module
 */
import { ID_SIZE, WORD } from "../bytes.ts";
import { TREE_HEADER_SIZE, TREE_MAGIC, TREE_ROW_SIZE } from "./check_tree.ts";
import { EntryKind } from "../entry_kind.ts";
import { copyOf } from "../copy_of.ts";
import type { RandomBytes } from "../random_bytes.ts";

/**
 * The entries of a directory too large for memory. Only the counts are checked: it
 * is for bytes whose id was checked, and what a row says must be taken as a claim.
 *
 * @example
 * ```ts
 * import { EntryKind } from "@snap/manifest/extras";
 * import { joinPieces, MemoryBytes } from "@snap/manifest";
 * import { TreeDraft } from "@snap/manifest/draft";
 * import { WideTree } from "@snap/manifest/wide";
 * import { equal } from "node:assert/strict";
 *
 * const name = new TextEncoder().encode("pipe");
 * const draft = new TreeDraft({ rowsMax: 1, names: name, ends: Uint32Array.of(4) });
 * draft.add(EntryKind.fifo);
 * const tree = WideTree.open(new MemoryBytes(joinPieces(draft.finish())));
 * equal(tree?.compareName(0, name, 0, name.length), 0);
 * ```
 */
export class WideTree {
  /** Number of rows. */
  readonly count: number;
  /** The id that was asked for last. */
  readonly bytes: Uint8Array = new Uint8Array(ID_SIZE);
  readonly #bytes: RandomBytes;
  readonly #values: number;
  readonly #ends: number;
  readonly #kinds: number;
  readonly #names: number;
  readonly #targets: number;

  private constructor(bytes: RandomBytes, count: number, namesSize: number) {
    this.#bytes = bytes;
    this.count = count;
    this.#values = TREE_HEADER_SIZE + ID_SIZE * count;
    this.#ends = this.#values + 8 * count;
    this.#kinds = this.#ends + 4 * count;
    this.#names = TREE_HEADER_SIZE + TREE_ROW_SIZE * count;
    this.#targets = this.#names + namesSize;
  }

  /**
   * Looks at the counts.
   *
   * @returns The tree, or `undefined` if the counts do not fit the bytes.
   */
  static open(bytes: RandomBytes): WideTree | undefined {
    if (bytes.size < TREE_HEADER_SIZE || bytes.u32(0) !== TREE_MAGIC) {
      return undefined;
    }
    const count = bytes.u32(4), namesSize = bytes.u32(8);
    const need = TREE_HEADER_SIZE + TREE_ROW_SIZE * count + namesSize +
      bytes.u32(12);
    return need === bytes.size
      ? new WideTree(bytes, count, namesSize)
      : undefined;
  }

  /** Kind of an entry. */
  kind(row: number): number {
    return this.#bytes.u8(this.#kinds + row);
  }

  /**
   * Copies the id of an entry into {@linkcode WideTree.bytes}.
   *
   * @returns Its offset there.
   */
  idStart(row: number): number {
    const start = TREE_HEADER_SIZE + ID_SIZE * row;
    let at = 0;
    for (const piece of this.#bytes.pieces(start, start + ID_SIZE)) {
      this.bytes.set(piece, at);
      at += piece.length;
    }
    return 0;
  }

  /**
   * Id of an entry.
   *
   * @returns A copy.
   */
  idBytes(row: number): Uint8Array {
    this.idStart(row);
    return this.bytes.slice();
  }

  /** Size of an entry: of a file's content, of a link's target, else 0. */
  size(row: number): number {
    const at = this.#values + 8 * row;
    const kind = this.kind(row);
    if (kind <= EntryKind.executable) {
      return this.#bytes.u32(at) + this.#bytes.u32(at + 4) * WORD;
    }
    return kind === EntryKind.symlink ? this.#bytes.u32(at + 4) : 0;
  }

  /**
   * Target of a symbolic link.
   *
   * @returns A copy; empty when the entry is no link, or it lies outside.
   */
  target(row: number): Uint8Array {
    if (this.kind(row) !== EntryKind.symlink) return new Uint8Array(0);
    const at = this.#values + 8 * row;
    const start = this.#targets + this.#bytes.u32(at);
    return copyOf(this.#bytes, start, start + this.#bytes.u32(at + 4));
  }

  /** How many directories there are before a row. */
  directoriesBefore(row: number): number {
    let count = 0;
    for (let i = 0; i < row; i++) {
      if (this.kind(i) === EntryKind.directory) count++;
    }
    return count;
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
    const own = row === 0 ? 0 : this.#bytes.u32(this.#ends + 4 * row - 4);
    const size = this.#bytes.u32(this.#ends + 4 * row) - own;
    for (let i = 0; i < size && start + i < end; i++) {
      const byte = this.#bytes.u8(this.#names + own + i);
      const difference = byte - name[start + i];
      if (difference !== 0) return difference;
    }
    return size - (end - start);
  }
}
