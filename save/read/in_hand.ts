/** How many bytes were read of large files whose results have not come, counted by all threads. */
export class InHand {
  /** The bytes that were counted here since {@linkcode InHand.take}. */
  #own = 0;
  /** Those of the file in hand. */
  #ofFile = 0;
  readonly #count: BigInt64Array;

  /**
   * Counts in memory that all threads share.
   *
   * @param buffer Shared by all threads, 8 bytes.
   */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.#count = new BigInt64Array(buffer);
  }

  /** Bytes that all have read. */
  get byteCount(): number {
    return Number(Atomics.load(this.#count, 0));
  }

  /** Counts bytes that were read; a negative number takes some back. */
  add(byteCount: number): void {
    this.#own += byteCount;
    this.#ofFile += byteCount;
    Atomics.add(this.#count, 0, BigInt(byteCount));
  }

  /** Says that another file begins. */
  nextFile(): void {
    this.#ofFile = 0;
  }

  /** Takes back what was counted of the file, as it is read again. */
  forgetFile(): void {
    this.add(-this.#ofFile);
  }

  /**
   * Hands over what was counted here to whoever takes it back.
   *
   * @returns How many bytes that are.
   */
  take(): number {
    const byteCount = this.#own;
    this.#own = 0;
    return byteCount;
  }
}
