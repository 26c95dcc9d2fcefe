/**
 * How the frames of a pack are compressed: the interface that every codec
 * implements, and the error for stored bytes that cannot be decoded.
 *
 * @module
 */

import { checkBytes } from "@snap/hash";

/** Largest plain size of a frame, in bytes. */
export const FRAME_SIZE_MAX: number = 4 << 20;

/** Number of a codec in a frame row of a pack. */
export const CodecTag = { none: 0, lz4: 1, zstd: 2 } as const;

/** Number of a codec in a frame row of a pack. */
export type CodecTag = (typeof CodecTag)[keyof typeof CodecTag];

/** Compresses and decompresses single frames, synchronously. */
export interface Codec {
  /** Number of the codec in a frame row. */
  readonly tag: CodecTag;
  /** Text that {@linkcode parseCodec} turns back into this codec. */
  readonly name: string;
  /**
   * Compresses one frame.
   *
   * @param plain Plain bytes of the frame, at most 4 MiB
   * @returns Fewer bytes than `plain`, good until the next call of this
   * codec, or `undefined` where they would not be fewer
   */
  compress(plain: Uint8Array): Uint8Array | undefined;
  /**
   * Decompresses one frame.
   *
   * @param stored Bytes that `compress` returned
   * @param out Place for exactly the plain bytes, also over shared memory, also
   * over that of `stored`
   * @throws {FrameSyntaxError} If `stored` is not a frame of that plain size;
   * `out` may have been written to
   */
  decompress(stored: Uint8Array, out: Uint8Array): void;
}

/** Stored bytes of a frame that cannot be decoded. */
export class FrameSyntaxError extends SyntaxError {
  /** Offset in the stored bytes at which decoding ended. */
  readonly offset: number;

  /**
   * Makes the error.
   *
   * @param message What could not be decoded, and why
   * @param offset Offset in the stored bytes
   * @param options Cause, where there is one
   */
  constructor(message: string, offset: number, options?: ErrorOptions) {
    super(message, options);
    this.name = "FrameSyntaxError";
    this.offset = offset;
  }
}

/**
 * Refuses plain bytes that are too many for a frame.
 *
 * @param plain Plain bytes of the frame
 * @throws {RangeError} If there are more than 4 MiB
 */
export function checkFrameSize(plain: Uint8Array): void {
  checkBytes(plain, "content");
  if (plain.length > FRAME_SIZE_MAX) {
    throw new RangeError(
      `Cannot compress frame as it has more than ${FRAME_SIZE_MAX} bytes: found ${plain.length}`,
    );
  }
}
