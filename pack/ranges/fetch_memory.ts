/** Stored bytes are fetched in pieces of this size, at multiples of it. */
export const BLOCK_SIZE: number = 256 << 10;

/**
 * The blocks that a range touches.
 *
 * @param offset First byte.
 * @param length Number of bytes, above 0.
 */
export function* blocksOf(offset: number, length: number): Generator<number> {
  const last = Math.floor((offset + length - 1) / BLOCK_SIZE);
  for (let block = Math.floor(offset / BLOCK_SIZE); block <= last; block++) {
    yield block;
  }
}

/** Words of a slot: stamp of its block, number of bytes, number of workers that copy from it now. */
const STAMP = 0, SIZE = 1, PINS = 2, SLOT_WORDS = 4;

/**
 * Blocks of files of the store in shared memory. Main puts them in, workers copy out of them. A
 * block is known by its stamp, which is never given twice.
 */
export class FetchMemory {
  /** The shared memory. */
  readonly buffer: SharedArrayBuffer;
  /** Number of blocks that there is room for. */
  readonly slotCount: number;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  #stampNext: number;

  /**
   * Makes room for blocks.
   *
   * @param sizeMax Bytes to keep; there is room for 8 blocks at least.
   */
  static create(sizeMax: number): FetchMemory {
    const slots = Math.max(8, Math.floor(sizeMax / BLOCK_SIZE));
    const size = slots * (BLOCK_SIZE + SLOT_WORDS * 4);
    return new FetchMemory(new SharedArrayBuffer(size));
  }

  /** Uses memory that `create` has made. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.slotCount = buffer.byteLength / (BLOCK_SIZE + SLOT_WORDS * 4);
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer, this.slotCount * BLOCK_SIZE);
    this.#stampNext = this.slotCount;
  }

  /**
   * Puts a block into a slot; only main does.
   *
   * @param bytes The block, at most `BLOCK_SIZE`.
   * @returns Its stamp, 0 if a worker copies from the slot: it is empty then.
   */
  put(slot: number, bytes: Uint8Array): number {
    const at = slot * SLOT_WORDS;
    // Readers pin before they look at the stamp, so one of the two sees the other.
    Atomics.store(this.#words, at + STAMP, 0);
    if (Atomics.load(this.#words, at + PINS) !== 0) return 0;
    this.#bytes.set(bytes, slot * BLOCK_SIZE);
    this.#words[at + SIZE] = bytes.length;
    const stamp = this.#stampNext + slot;
    this.#stampNext += this.slotCount;
    if (this.#stampNext > 0x7fff0000) this.#stampNext = this.slotCount;
    Atomics.store(this.#words, at + STAMP, stamp);
    return stamp;
  }

  /** Whether a block is still there. */
  has(stamp: number): boolean {
    const at = stamp % this.slotCount * SLOT_WORDS;
    return Atomics.load(this.#words, at + STAMP) === stamp;
  }

  /**
   * Copies bytes of a block.
   *
   * @param offset The first byte, within the block.
   * @param out Is filled, unless the block ends before.
   * @returns The number of bytes, or -1 if the block is gone.
   */
  copy(stamp: number, offset: number, out: Uint8Array): number {
    const slot = stamp % this.slotCount;
    const at = slot * SLOT_WORDS;
    Atomics.add(this.#words, at + PINS, 1);
    try {
      if (Atomics.load(this.#words, at + STAMP) !== stamp) return -1;
      const end = Math.min(this.#words[at + SIZE], offset + out.length);
      const from = slot * BLOCK_SIZE;
      if (end <= offset) return 0;
      out.set(this.#bytes.subarray(from + offset, from + end));
      return end - offset;
    } finally {
      Atomics.sub(this.#words, at + PINS, 1);
    }
  }
}
