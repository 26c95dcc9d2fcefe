import { checkBytes } from "../check_bytes.ts";

/** Settings that decide where chunks end. Sizes are in bytes, and powers of two. */
export interface ChunkSizes {
  /** Size of the smallest chunk but for the last of a content: 64 or more. */
  readonly sizeMin: number;
  /** The size that chunks gather around. */
  readonly sizeAverage: number;
  /** Size of the largest chunk: 4 MiB or less. */
  readonly sizeMax: number;
  /** Seed of the gear table: a u32, not 0. */
  readonly gearSeed: number;
}

/** The sizes of a store that was not told otherwise: 8, 32 and 128 KiB. */
export const DEFAULT_CHUNK_SIZES: ChunkSizes = {
  sizeMin: 8 << 10,
  sizeAverage: 32 << 10,
  sizeMax: 128 << 10,
  gearSeed: 0x9e3779b9,
};

/** The limit of {@linkcode ChunkSizes.sizeMin}. */
const SIZE_MIN_LIMIT = 64;
/** The limit of {@linkcode ChunkSizes.sizeMax}: what one frame can hold. */
const SIZE_MAX_LIMIT = 4 << 20;

/** Bytes that the hash depends on: each shifts it by a bit. */
const HASH_BITS = 32;

/**
 * Cuts content into chunks at borders that the content itself decides (FastCDC),
 * so that a change moves few borders. Keeps no state: one serves any number of
 * contents.
 *
 * @example
 * ```ts
 * import { Chunker } from "@snap/hash/chunk";
 * import { strictEqual } from "node:assert/strict";
 *
 * const chunker = new Chunker();
 * const content = new Uint8Array(1 << 20);
 * const end = chunker.cut(content, 0, content.length);
 * strictEqual(end, chunker.sizes.sizeMax); // Zeros have no place to cut at.
 * ```
 */
export class Chunker {
  /** The sizes it was made with. */
  readonly sizes: ChunkSizes;
  readonly #gear: Int32Array;
  readonly #maskBelow: number;
  readonly #maskAbove: number;

  /**
   * Cuts by these sizes.
   *
   * @param sizes What decides where chunks end, as the settings of a store say.
   * @throws {RangeError} If the sizes are not ascending powers of two from 64
   * to 4 MiB, or the seed is not a u32 above 0, or would cut a run of zeros
   * before the largest size.
   */
  constructor(sizes: ChunkSizes = DEFAULT_CHUNK_SIZES) {
    checkSizes(sizes);
    const { sizeMin, sizeAverage, sizeMax, gearSeed } = sizes;
    this.sizes = { sizeMin, sizeAverage, sizeMax, gearSeed };
    this.#gear = gearTable(gearSeed);
    const bits = Math.log2(sizeAverage);
    this.#maskBelow = -1 << (32 - (bits + 2));
    this.#maskAbove = -1 << (32 - (bits - 2));
    this.#checkZeros();
  }

  /**
   * Finds the end of the chunk that begins at `start`.
   *
   * @param bytes Where the content is.
   * @param start Where the chunk begins.
   * @param end Where the bytes at hand end: at least `sizeMax` after `start`,
   * unless the content ends there.
   * @returns The end of the chunk, above `start` and at most `end`.
   * @throws {RangeError} If `start` to `end` is empty or not within `bytes`.
   */
  cut(bytes: Uint8Array, start: number, end: number): number {
    checkBytes(bytes, "content");
    if (!(start >= 0 && start < end && end <= bytes.length)) {
      throw new RangeError(
        `Cannot cut a chunk from ${start} to ${end}: there are ${bytes.length} bytes`,
      );
    }
    const { sizeMin, sizeAverage, sizeMax } = this.sizes;
    if (end - start <= sizeMin) return end;
    const gear = this.#gear;
    const limit = Math.min(end, start + sizeMax);
    const middle = Math.min(end, start + sizeAverage);
    const below = this.#maskBelow, above = this.#maskAbove;
    let i = start + sizeMin;
    let hash = 0;
    // Four bytes a turn: the turns would cost as much as the bytes.
    for (const last = middle - 3; i < last; i += 4) {
      hash = (hash << 1) + gear[bytes[i]] | 0;
      if ((hash & below) === 0) return i + 1;
      hash = (hash << 1) + gear[bytes[i + 1]] | 0;
      if ((hash & below) === 0) return i + 2;
      hash = (hash << 1) + gear[bytes[i + 2]] | 0;
      if ((hash & below) === 0) return i + 3;
      hash = (hash << 1) + gear[bytes[i + 3]] | 0;
      if ((hash & below) === 0) return i + 4;
    }
    while (i < middle) {
      hash = (hash << 1) + gear[bytes[i++]] | 0;
      if ((hash & below) === 0) return i;
    }
    for (const last = limit - 3; i < last; i += 4) {
      hash = (hash << 1) + gear[bytes[i]] | 0;
      if ((hash & above) === 0) return i + 1;
      hash = (hash << 1) + gear[bytes[i + 1]] | 0;
      if ((hash & above) === 0) return i + 2;
      hash = (hash << 1) + gear[bytes[i + 2]] | 0;
      if ((hash & above) === 0) return i + 3;
      hash = (hash << 1) + gear[bytes[i + 3]] | 0;
      if ((hash & above) === 0) return i + 4;
    }
    while (i < limit) {
      hash = (hash << 1) + gear[bytes[i++]] | 0;
      if ((hash & above) === 0) return i;
    }
    return limit;
  }

  /**
   * A run of zeros is told by chunks of zeros of the largest size, so a seed
   * that cuts them shorter would make sparse files many chunks.
   */
  #checkZeros(): void {
    const { sizeMin, sizeAverage, sizeMax, gearSeed } = this.sizes;
    const settled = sizeMin + HASH_BITS;
    let hash = 0;
    for (let size = sizeMin + 1; size <= sizeAverage + 1; size++) {
      // Bytes further back are shifted out: then the hash of zeros stays, and the mask changes once.
      if (size > settled) size = sizeAverage + 1;
      hash = (hash << 1) + this.#gear[0] | 0;
      const mask = size <= sizeAverage ? this.#maskBelow : this.#maskAbove;
      if ((hash & mask) === 0) {
        throw new RangeError(
          `Cannot use gear seed ${gearSeed}: it cuts zeros into chunks of ${size} bytes, not ${sizeMax}`,
        );
      }
    }
  }
}

function checkSizes(sizes: ChunkSizes): void {
  const { sizeMin, sizeAverage, sizeMax, gearSeed } = sizes;
  const ascending = SIZE_MIN_LIMIT <= sizeMin && sizeMin < sizeAverage &&
    sizeAverage < sizeMax && sizeMax <= SIZE_MAX_LIMIT;
  if (!ascending || ![sizeMin, sizeAverage, sizeMax].every(isPowerOfTwo)) {
    throw new RangeError(
      `Cannot chunk by sizes ${sizeMin}, ${sizeAverage}, ${sizeMax}: they are ascending powers of two from ${SIZE_MIN_LIMIT} to ${SIZE_MAX_LIMIT}`,
    );
  }
  if (gearSeed >>> 0 !== gearSeed || gearSeed === 0) {
    throw new RangeError(
      `Cannot chunk by gear seed ${gearSeed}: it is a whole number from 1 to 4294967295`,
    );
  }
}

function isPowerOfTwo(size: number): boolean {
  return Number.isInteger(Math.log2(size));
}

/** Marsaglia's xorshift32 from the seed, 256 times. */
function gearTable(seed: number): Int32Array {
  const gear = new Int32Array(256);
  let x = seed | 0;
  for (let i = 0; i < gear.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    gear[i] = x;
  }
  return gear;
}
