/**
 * The codec for LZ4 blocks: fast to decompress, in WebAssembly of our own that
 * runs everywhere.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import {
  checkFrameSize,
  type Codec,
  CodecTag,
  FrameSyntaxError,
} from "./codec.ts";
import { boundOf, Lz4Kernel } from "./lz4_kernel.ts";

/**
 * Encodes one block of LZ4.
 *
 * @param plain Plain bytes
 * @param out Place for the stored bytes, not over `plain`
 * @returns The number of stored bytes; 0 where `out` is too small for them; a
 * negative number where it does not encode
 */
export type FrameEncoder = (plain: Uint8Array, out: Uint8Array) => number;

/** Encoders of frames that run in place of the codecs of this package. */
export interface FrameEncoders {
  /** Encodes LZ4 blocks. */
  readonly lz4?: {
    /** Encodes. */
    readonly encode: FrameEncoder;
  };
}

let kernel: Lz4Kernel | undefined;

/**
 * Compresses frames as LZ4 blocks, without a size or a frame header of LZ4.
 *
 * @example
 * ```ts
 * import { lz4Codec } from "@snap/pack/codecs";
 * import { deepEqual } from "node:assert/strict";
 *
 * const plain = new Uint8Array(1000);
 * const stored = lz4Codec.compress(plain)!;
 * const out = new Uint8Array(1000);
 * lz4Codec.decompress(stored, out);
 * deepEqual(out, plain);
 * ```
 */
export const lz4Codec: Codec = {
  tag: CodecTag.lz4,
  name: "lz4",
  compress(plain: Uint8Array): Uint8Array | undefined {
    checkFrameSize(plain);
    kernel ??= new Lz4Kernel();
    const stored = kernel.compress(plain);
    return stored.length < plain.length ? stored : undefined;
  },
  decompress(stored: Uint8Array, out: Uint8Array): void {
    checkBytes(stored, "stored bytes");
    checkBytes(out, "place of the content");
    checkFrameSize(out);
    const bound = boundOf(out.length);
    if (stored.length > bound) {
      throw new FrameSyntaxError(
        `Cannot read LZ4 frame as it has at most ${bound} bytes: found ${stored.length}`,
        bound,
      );
    }
    kernel ??= new Lz4Kernel();
    const offset = kernel.decompress(stored, out);
    if (offset >= 0) {
      throw new FrameSyntaxError(
        `Cannot read LZ4 frame of ${out.length} plain bytes as it is damaged at ${offset}: found ${stored.length} bytes`,
        offset,
      );
    }
  },
};

/** A codec for LZ4 blocks that compresses by an encoder, and where that does not by the kernel. */
export function lz4CodecBy(encode: FrameEncoder): Codec {
  let memory = new Uint8Array(0);
  return {
    ...lz4Codec,
    compress(plain: Uint8Array): Uint8Array | undefined {
      checkFrameSize(plain);
      const sizeMax = plain.length - 1;
      if (sizeMax <= 0) return undefined;
      if (memory.length < sizeMax) memory = new Uint8Array(sizeMax);
      const size = encode(plain, memory.subarray(0, sizeMax));
      if (size < 0) return lz4Codec.compress(plain);
      return size === 0 ? undefined : memory.subarray(0, size);
    },
  };
}
