/**
 * Bytes that are read and written at any offset, in memory or elsewhere: what a
 * tree or page stands in that is too large for memory.
 *
 * @module
 */

/** Bytes that are read at any offset. Numbers are little-endian. */
export interface RandomBytes {
  /** How many there are. */
  readonly size: number;
  /**
   * Reads a number of 8 bits.
   *
   * @param at Its offset.
   */
  u8(at: number): number;
  /**
   * Reads a number of 16 bits.
   *
   * @param at Its offset.
   */
  u16(at: number): number;
  /**
   * Reads a number of 32 bits.
   *
   * @param at Its offset.
   */
  u32(at: number): number;
  /**
   * Gives bytes piece by piece.
   *
   * @param start Offset of the first.
   * @param end Offset behind the last.
   * @returns Views, each good until the next is asked for.
   */
  pieces(start: number, end: number): Iterable<Uint8Array>;
}

/** Bytes that are written, too. They are 0 at first. */
export interface WritableBytes extends RandomBytes {
  /**
   * Writes the lower 16 bits of a number.
   *
   * @param at Its offset, which is even.
   */
  setU16(at: number, value: number): void;
  /**
   * Writes a number modulo 2^32.
   *
   * @param at Its offset, a multiple of 4.
   */
  setU32(at: number, value: number): void;
  /**
   * Writes a run of bytes.
   *
   * @param at Where they go.
   * @param bytes Where they are.
   * @param start The first.
   * @param end One past the last.
   */
  write(at: number, bytes: Uint8Array, start: number, end: number): void;
}

/** Makes bytes for a draft. */
export type MakeBytes = (size: number) => WritableBytes;

/** Bytes in memory. */
export class MemoryBytes implements WritableBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /** Uses the bytes where they are. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
  }

  /**
   * Makes bytes of zeros.
   *
   * @param size How many.
   */
  static ofSize(size: number): MemoryBytes {
    return new MemoryBytes(new Uint8Array(size));
  }

  /** How many bytes there are. */
  get size(): number {
    return this.#bytes.length;
  }

  /**
   * Reads a number of 8 bits.
   *
   * @param at Its offset.
   */
  u8(at: number): number {
    return this.#bytes[at];
  }

  /**
   * Reads a number of 16 bits.
   *
   * @param at Its offset.
   */
  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  /**
   * Reads a number of 32 bits.
   *
   * @param at Its offset.
   */
  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /**
   * Gives bytes as one view.
   *
   * @param start Offset of the first.
   * @param end Offset behind the last.
   */
  pieces(start: number, end: number): Iterable<Uint8Array> {
    return [this.#bytes.subarray(start, end)];
  }

  /**
   * Writes the lower 16 bits of a number.
   *
   * @param at Its offset.
   */
  setU16(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }

  /**
   * Writes a number modulo 2^32.
   *
   * @param at Its offset.
   */
  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /**
   * Writes a run of bytes.
   *
   * @param at Where they go.
   * @param bytes Where they are.
   * @param start The first.
   * @param end One past the last.
   */
  write(at: number, bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) this.#bytes[at++] = bytes[i];
  }
}

/** Canonical bytes of an object, piece by piece: it may be larger than memory. */
export interface ObjectBytes {
  /** How many there are. */
  readonly size: number;
  /**
   * Gives all bytes in order, as often as it is called.
   *
   * @returns Views, each good until the next is asked for.
   */
  pieces(): Iterable<Uint8Array>;
}

/**
 * Copies the pieces of an object together.
 *
 * @param out Where they go; new bytes if absent.
 */
export function joinPieces(
  object: ObjectBytes,
  out: Uint8Array = new Uint8Array(object.size),
): Uint8Array {
  let at = 0;
  for (const piece of object.pieces()) {
    out.set(piece, at);
    at += piece.length;
  }
  return out.subarray(0, at);
}
