import { FrameSyntaxError } from "./codec.ts";
import type { FrameDecoder } from "./frame_decoders.ts";

const MATCH_MIN = 4;
/** What fits into half a token; more follows in bytes of its own. */
const HALF_MAX = 15;
/** Bytes at the end of a block that are no match. */
const LITERALS_LAST = 5;

/**
 * Decodes LZ4 blocks in plain JavaScript, for places that forbid to compile
 * WebAssembly: one of the `decoders` of `openSnapshots`. It is several times slower
 * than `lz4Codec`, and refuses the same blocks in the same words.
 *
 * @example
 * ```ts
 * import { lz4Codec, lz4Decoder } from "@snap/pack/codecs";
 * import { deepEqual } from "node:assert/strict";
 *
 * const plain = new Uint8Array(1000);
 * const out = new Uint8Array(1000);
 * lz4Decoder.decode(lz4Codec.compress(plain)!, out);
 * deepEqual(out, plain);
 * ```
 */
export const lz4Decoder: { readonly decode: FrameDecoder } = {
  decode(stored: Uint8Array, out: Uint8Array): number {
    const offset = new Block(stored, out).decode();
    if (offset < 0) return out.length;
    throw new FrameSyntaxError(
      `Cannot read LZ4 frame of ${out.length} plain bytes as it is damaged at ${offset}: found ${stored.length} bytes`,
      offset,
    );
  },
};

/** A block on its way. */
class Block {
  readonly #stored: Uint8Array;
  readonly #out: Uint8Array;
  #at = 0;
  #size = 0;

  constructor(stored: Uint8Array, out: Uint8Array) {
    this.#stored = stored;
    this.#out = out;
  }

  /** Fills exactly the place; gives -1, or the offset of the damage. */
  decode(): number {
    const { length } = this.#stored;
    while (this.#at < length) {
      const token = this.#stored[this.#at++];
      if (!this.#literals(token >> 4)) return this.#at;
      if (this.#at === length) break;
      if (!this.#match(token & HALF_MAX)) return this.#at;
    }
    return this.#size === this.#out.length ? -1 : this.#at;
  }

  #literals(half: number): boolean {
    const size = this.#sizeOf(half);
    const end = this.#at + size;
    const isInside = end <= this.#stored.length &&
      size <= this.#out.length - this.#size;
    if (!isInside) return false;
    this.#out.set(this.#stored.subarray(this.#at, end), this.#size);
    this.#at = end;
    this.#size += size;
    return true;
  }

  #match(half: number): boolean {
    const stored = this.#stored, out = this.#out;
    if (stored.length - this.#at < 2) return false;
    const distance = stored[this.#at] | stored[this.#at + 1] << 8;
    if (distance === 0 || distance > this.#size) return false;
    this.#at += 2;
    const size = this.#sizeOf(half) + MATCH_MIN;
    const isInside = size + LITERALS_LAST <= out.length - this.#size;
    if (!isInside) return false;
    const start = this.#size - distance;
    if (size <= distance) out.copyWithin(this.#size, start, start + size);
    else for (let i = 0; i < size; i++) out[this.#size + i] = out[start + i];
    this.#size += size;
    return true;
  }

  /** A size that begins in a token; `NaN` where the block ends in it, which is inside of nothing. */
  #sizeOf(half: number): number {
    let size = half;
    if (half < HALF_MAX) return size;
    let more = 255;
    while (more === 255) {
      if (this.#at >= this.#stored.length) return NaN;
      more = this.#stored[this.#at++];
      size += more;
    }
    return size;
  }
}
