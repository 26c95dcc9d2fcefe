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
