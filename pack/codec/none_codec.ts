/**
 * The codec that stores frames as they are.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { type Codec, CodecTag, FrameSyntaxError } from "./codec.ts";

/**
 * Stores frames as they are.
 *
 * @example
 * ```ts
 * import { noneCodec } from "@snap/pack/codecs";
 * import { deepEqual, equal } from "node:assert/strict";
 *
 * const plain = new Uint8Array([1, 2, 3]);
 * const out = new Uint8Array(3);
 * equal(noneCodec.compress(plain), undefined);
 * noneCodec.decompress(plain, out);
 * deepEqual(out, plain);
 * ```
 */
export const noneCodec: Codec = {
  tag: CodecTag.none,
  name: "none",
  compress(plain: Uint8Array): undefined {
    checkBytes(plain, "content");
  },
  decompress(stored: Uint8Array, out: Uint8Array): void {
    checkBytes(stored, "stored bytes");
    checkBytes(out, "place of the content");
    if (stored.length !== out.length) {
      throw new FrameSyntaxError(
        `Cannot read plain frame as it needs ${out.length} bytes: found ${stored.length}`,
        Math.min(stored.length, out.length),
      );
    }
    out.set(stored);
  },
};
