/**
 * Decoding frames with decoders that somebody else has, such as those of the
 * operating system.
 *
 * @module
 */
import { CodecTag, FrameSyntaxError } from "./codec.ts";
import { codecOf } from "./codecs.ts";
import { boundOf } from "./lz4_kernel.ts";
import { hasZstd } from "./zstd_codec.ts";
import { checkZstdFrame } from "./zstd_frame.ts";

/**
 * Decodes the stored bytes of one frame.
 *
 * @param stored Stored bytes
 * @param out Place for exactly the plain bytes, not over `stored`, but maybe over
 * shared memory; nothing else may be written to
 * @returns The number of plain bytes; any other number means that they could not
 * be decoded
 */
export type FrameDecoder = (stored: Uint8Array, out: Uint8Array) => number;

/** Decoders of frames that run in place of the codecs of this package. */
export interface FrameDecoders {
  /** Decodes LZ4 blocks. */
  readonly lz4?: { readonly decode: FrameDecoder };
  /** Decodes Zstandard frames. */
  readonly zstd?: { readonly decode: FrameDecoder };
}

/**
 * Decodes a frame. What a given decoder refuses is decoded by the codec, which
 * knows why it is refused. A decoder may take damage that the codec would not,
 * such as a match of liblz4 at distance 0: objects are to be checked against
 * their ids.
 *
 * @param tag Number of the codec in the frame row
 * @param stored Stored bytes
 * @param out Place for exactly the plain bytes, not over `stored`
 * @param decoders What decodes instead of the codecs
 * @throws {FrameSyntaxError} If `stored` is not a frame of that plain size; `out`
 * may have been written to
 *
 * @example
 * ```ts
 * import { decodeFrame } from "@snap/pack/codecs";
 * import { deepEqual } from "node:assert/strict";
 *
 * const out = new Uint8Array(1);
 * decodeFrame(0, Uint8Array.of(7), out, {});
 * deepEqual(out, Uint8Array.of(7));
 * ```
 */
export function decodeFrame(
  tag: number,
  stored: Uint8Array,
  out: Uint8Array,
  decoders: FrameDecoders,
): void {
  const { length } = out;
  if (tag === CodecTag.lz4 && decoders.lz4 !== undefined) {
    const isOfSize = length > 0 && stored.length <= boundOf(length);
    if (isOfSize && decoders.lz4.decode(stored, out) === length) return;
  } else if (tag === CodecTag.zstd && decoders.zstd !== undefined) {
    // The library would take several frames, too.
    checkZstdFrame(stored, length);
    if (length > 0 && decoders.zstd.decode(stored, out) === length) return;
    // In a browser there is no other that could say why.
    if (length > 0 && !hasZstd()) {
      throw new FrameSyntaxError(
        `Cannot read zstd frame as it has ${length} plain bytes: its decoder refuses it`,
        0,
      );
    }
  }
  codecOf(tag).decompress(stored, out);
}
