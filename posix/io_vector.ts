/**
 * Pieces of memory that one call writes.
 *
 * @module
 */

/** A reusable list of pieces of memory for `writev`. It does not keep the memory alive. */
export class IoVector {
  /** Number of places. */
  readonly count: number;
  /** The array of `struct iovec`: address u64, size u64. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: BigUint64Array;

  /** Makes a list of empty pieces. */
  constructor(count: number) {
    this.count = count;
    this.bytes = new Uint8Array(count * 16);
    this.#words = new BigUint64Array(this.bytes.buffer);
  }

  /**
   * Puts a piece in place `i`.
   *
   * @param address From `addressOf`, plus an offset.
   * @param size Size in bytes.
   */
  set(i: number, address: bigint, size: number): void {
    this.#words[i * 2] = address;
    this.#words[i * 2 + 1] = BigInt(size);
  }
}
