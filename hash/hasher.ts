/**
 * Functions that hash bytes into ids. Which hasher runs is passed in by the program:
 * `wasmHasher` runs everywhere, `nativeHasher()` of `@snap/hash/native` is the
 * fast one where native code is allowed. Both give the same ids.
 *
 * @module
 */

import type { Id } from "./id.ts";

/** Context of the hash of trees: no file can pass for a tree. */
export const TREE_CONTEXT = "snap 1 tree";

/** Context of the hash of attribute pages. */
export const ATTRIBUTES_CONTEXT = "snap 1 attributes";

/** Context of the hash of recipe nodes that are no root. */
export const RECIPE_CONTEXT = "snap 1 recipe";

/** A context of BLAKE3's derive-key mode. */
export type HashContext =
  | "snap 1 tree"
  | "snap 1 attributes"
  | "snap 1 recipe";

/** Name of a hasher: portable code, portable code without WebAssembly, or native code. */
export type HasherName = "wasm" | "js" | "native";

/**
 * Hashes bytes by BLAKE3. Calls make no garbage that only the event loop frees,
 * so a loop may hash for hours without yielding.
 */
export interface Hasher {
  /** Which code hashes. */
  readonly name: HasherName;

  /**
   * Hashes content.
   *
   * @param out Receives the 32 bytes of the id.
   * @param outOffset Where they go in `out`, 0 if left out.
   * @throws {RangeError} If `out` has no 32 bytes at `outOffset`.
   */
  hashInto(bytes: Uint8Array, out: Uint8Array, outOffset?: number): void;

  /**
   * Hashes a tree, page or recipe node under its context.
   *
   * @param out Receives the 32 bytes of the id.
   * @param outOffset Where they go in `out`, 0 if left out.
   * @throws {RangeError} If `out` has no 32 bytes at `outOffset`.
   */
  deriveInto(
    context: HashContext,
    bytes: Uint8Array,
    out: Uint8Array,
    outOffset?: number,
  ): void;

  /** Hashes content. */
  idOf(bytes: Uint8Array): Id;

  /**
   * Starts a hash of content that comes in pieces.
   *
   * @returns A stream that may be used again after `reset()`.
   */
  stream(): HashStream;

  /**
   * Starts a hash of content that comes in pieces, most of it zeros: see
   * {@linkcode HashStream.updateZeros}. Other bytes may take longer.
   *
   * @returns A stream that may be used again after `reset()`.
   */
  sparseStream(): HashStream;

  /**
   * Starts a hash under a context of bytes that come in pieces.
   *
   * @param context The context of the object's kind.
   * @returns A stream that may be used again after `reset()`.
   */
  deriveStream(context: HashContext): HashStream;
}

/** A hash of bytes that come in pieces. Make one and reset it. */
export interface HashStream {
  /** Forgets every byte seen. */
  reset(): void;

  /**
   * Takes the next bytes.
   *
   * @param bytes The next bytes; the caller may change them afterwards.
   */
  update(bytes: Uint8Array): void;

  /**
   * Takes the next bytes, all of them zero. It may leave off early, so that no
   * call takes long. A stream of `sparseStream()` takes most of the first 256 GiB
   * of content in no time.
   *
   * @param size How many there are.
   * @returns How many were taken, at least 1 unless there were none.
   * @throws {RangeError} If this is no number of bytes.
   */
  updateZeros(size: number): number;

  /**
   * Hashes what came so far. More may follow.
   *
   * @param out Receives the 32 bytes of the id.
   * @param outOffset Where they go in `out`, 0 if left out.
   * @throws {RangeError} If `out` has no 32 bytes at `outOffset`.
   */
  digestInto(out: Uint8Array, outOffset?: number): void;

  /** Hashes what came so far. More may follow. */
  digest(): Id;
}

/** Thrown when bytes do not have the id they were asked for by. */
export class IdMismatchError extends Error {
  /** The id that was asked for. */
  readonly expected: Id;
  /** The id that the bytes have. */
  readonly actual: Id;

  /** Names both ids. */
  constructor(expected: Id, actual: Id) {
    super(
      `Cannot trust bytes: they have id ${actual}, not ${expected}`,
    );
    this.name = "IdMismatchError";
    this.expected = expected;
    this.actual = actual;
  }
}
