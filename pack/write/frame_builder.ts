/**
 * Gathers objects into the plain bytes of one frame.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { FRAME_SIZE_MAX } from "../codec/codec.ts";
import { ID_SIZE } from "../bytes.ts";

/** The objects of one frame, by columns. */
export interface FrameRows {
  /** Number of objects. */
  readonly count: number;
  /** Ids, 32 bytes each. */
  readonly ids: Uint8Array;
  /** Kinds. */
  readonly kinds: Uint8Array;
  /** Offsets in the plain frame. */
  readonly offsets: Uint32Array;
  /** Plain sizes, at least 1. */
  readonly sizes: Uint32Array;
}

const ROWS_FIRST = 64;

/**
 * Gathers objects into the plain bytes of one frame. A file is read straight
 * into the space that `reserve` returns, hashed there, and then committed or
 * dropped. One builder serves for any number of frames.
 *
 * @example
 * ```ts
 * import { FrameBuilder } from "@snap/pack/write";
 * import { ObjectKind } from "@snap/pack";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { equal } from "node:assert/strict";
 *
 * const frame = new FrameBuilder();
 * const space = frame.reserve(5);
 * space.set(new TextEncoder().encode("hello"));
 * const id = new Uint8Array(32);
 * wasmHasher.hashInto(space, id);
 * frame.commit(id, 0, ObjectKind.content, 5);
 * equal(frame.rows.count, 1);
 * equal(new TextDecoder().decode(frame.plain()), "hello");
 * ```
 */
export class FrameBuilder {
  /** Largest plain size in bytes. */
  readonly sizeMax: number;
  readonly #bytes: Uint8Array;
  readonly #rows: {
    count: number;
    ids: Uint8Array;
    kinds: Uint8Array;
    offsets: Uint32Array;
    sizes: Uint32Array;
  };
  #size = 0;
  #reserved = -1;

  /**
   * Makes an empty frame.
   *
   * @param sizeMax Largest plain size in bytes, 1 to 4 MiB
   * @throws {RangeError} If `sizeMax` is out of range
   */
  constructor(sizeMax: number = FRAME_SIZE_MAX) {
    if (!Number.isInteger(sizeMax) || sizeMax < 1 || sizeMax > FRAME_SIZE_MAX) {
      throw new RangeError(
        `Cannot make a frame of ${sizeMax} bytes: 1 to ${FRAME_SIZE_MAX} are possible`,
      );
    }
    this.sizeMax = sizeMax;
    // Pages that are never touched cost nothing.
    this.#bytes = new Uint8Array(sizeMax);
    this.#rows = {
      count: 0,
      ids: new Uint8Array(ROWS_FIRST * ID_SIZE),
      kinds: new Uint8Array(ROWS_FIRST),
      offsets: new Uint32Array(ROWS_FIRST),
      sizes: new Uint32Array(ROWS_FIRST),
    };
  }

  /** Plain bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that may still be reserved. */
  get sizeLeft(): number {
    return this.sizeMax - this.#size;
  }

  /** The objects so far; good until the next change. */
  get rows(): FrameRows {
    return this.#rows;
  }

  /**
   * Gives space at the end of the frame. A reservation before it that was not
   * committed is dropped.
   *
   * @param size Bytes that the object may need, at least 1
   * @returns The space; its old content means nothing
   * @throws {RangeError} If the frame has no such space left
   */
  reserve(size: number): Uint8Array {
    if (!(size >= 1 && size <= this.sizeLeft)) {
      throw new RangeError(
        `Cannot reserve ${size} bytes as the frame has 1 to ${this.sizeLeft} left`,
      );
    }
    this.#reserved = size;
    return this.#bytes.subarray(this.#size, this.#size + size);
  }

  /**
   * Makes the start of the reserved space an object.
   *
   * @param ids Bytes with the id
   * @param idStart Where its 32 bytes begin
   * @param kind Number of the object's kind, 1 to 4
   * @param size Plain size of the object, 1 to what was reserved
   * @throws {RangeError} If a number is out of range
   */
  commit(ids: Uint8Array, idStart: number, kind: number, size: number): void {
    checkBytes(ids, "id");
    if (!(size >= 1 && size <= this.#reserved)) {
      throw new RangeError(
        `Cannot commit ${size} bytes as ${this.#reserved} are reserved`,
      );
    }
    if (!(kind >= 1 && kind <= 4)) {
      throw new RangeError(
        `Cannot commit object of kind ${kind}: kinds are 1 to 4`,
      );
    }
    if (!(idStart >= 0 && idStart + ID_SIZE <= ids.length)) {
      throw new RangeError(
        `Cannot commit object: no ${ID_SIZE} bytes of an id at ${idStart} of ${ids.length}`,
      );
    }
    const rows = this.#rows;
    const row = rows.count;
    if (row === rows.kinds.length) this.#grow();
    for (let i = 0; i < ID_SIZE; i++) {
      rows.ids[row * ID_SIZE + i] = ids[idStart + i];
    }
    rows.kinds[row] = kind;
    rows.offsets[row] = this.#size;
    rows.sizes[row] = size;
    rows.count = row + 1;
    this.#size += size;
    this.#reserved = -1;
  }

  /** Gives the reserved space back. */
  drop(): void {
    this.#reserved = -1;
  }

  /**
   * Copies an object into the frame: reserves, fills and commits.
   *
   * @param plain Plain bytes of the object
   * @param ids Bytes with the id
   * @param idStart Where its 32 bytes begin
   * @param kind Number of the object's kind, 1 to 4
   * @throws {RangeError} If the frame has no space, or a number is out of range
   */
  add(plain: Uint8Array, ids: Uint8Array, idStart: number, kind: number): void {
    checkBytes(plain, "content");
    checkBytes(ids, "id");
    this.reserve(plain.length).set(plain);
    this.commit(ids, idStart, kind, plain.length);
  }

  /**
   * Gives the plain frame.
   *
   * @returns A view, good until the next change
   */
  plain(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  /** Forgets every object. */
  clear(): void {
    this.#rows.count = 0;
    this.#size = 0;
    this.#reserved = -1;
  }

  #grow(): void {
    const rows = this.#rows;
    const size = rows.kinds.length * 2;
    const ids = new Uint8Array(size * ID_SIZE);
    ids.set(rows.ids);
    rows.ids = ids;
    const kinds = new Uint8Array(size);
    kinds.set(rows.kinds);
    rows.kinds = kinds;
    const offsets = new Uint32Array(size);
    offsets.set(rows.offsets);
    rows.offsets = offsets;
    const sizes = new Uint32Array(size);
    sizes.set(rows.sizes);
    rows.sizes = sizes;
  }
}
