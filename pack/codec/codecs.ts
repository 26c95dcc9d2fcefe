/**
 * Codecs by number and by name.
 *
 * @module
 */
import { type Codec, CodecTag, FrameSyntaxError } from "./codec.ts";
import { noneCodec } from "./none_codec.ts";
import { type FrameEncoders, lz4Codec, lz4CodecBy } from "./lz4_codec.ts";
import { zstdCodec } from "./zstd_codec.ts";

const byTag: readonly Codec[] = [noneCodec, lz4Codec, zstdCodec()];

/**
 * Finds the codec that decompresses a frame.
 *
 * @param tag Number of the codec in the frame row
 * @returns The codec
 * @throws {FrameSyntaxError} If no codec has that number
 *
 * @example
 * ```ts
 * import { codecOf } from "@snap/pack/codecs";
 * import { equal } from "node:assert/strict";
 *
 * equal(codecOf(0).name, "none");
 * ```
 */
export function codecOf(tag: number): Codec {
  const codec = byTag[tag];
  if (codec === undefined) {
    throw new FrameSyntaxError(
      `Cannot read frame as its codec is 0 to ${CodecTag.zstd}: found ${tag}`,
      0,
    );
  }
  return codec;
}

/**
 * Finds a codec by its name: `none`, `lz4`, `zstd`, or `zstd:1` to `zstd:19`.
 *
 * @param text Name of the codec
 * @param encoders What compresses instead of the codecs of this package
 * @returns The codec
 * @throws {SyntaxError} If no codec has that name
 *
 * @example
 * ```ts
 * import { parseCodec } from "@snap/pack/codecs";
 * import { equal } from "node:assert/strict";
 *
 * equal(parseCodec("zstd:3").tag, 2);
 * ```
 */
export function parseCodec(text: string, encoders: FrameEncoders = {}): Codec {
  if (text === "none") return noneCodec;
  if (text === "lz4") {
    return encoders.lz4 ? lz4CodecBy(encoders.lz4.encode) : lz4Codec;
  }
  if (text === "zstd") return zstdCodec();
  if (/^zstd:([1-9]|1[0-9])$/.test(text)) {
    return zstdCodec({ level: Number(text.slice(5)) });
  }
  throw new SyntaxError(
    `Cannot parse codec as it is none, lz4, zstd or zstd:1 to zstd:19: found ${
      JSON.stringify(text)
    }`,
  );
}
