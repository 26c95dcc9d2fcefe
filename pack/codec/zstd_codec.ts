/**
 * The codec for Zstandard, over the runtime's own `node:zlib`: Deno, and Node
 * from 22.15.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import type * as zlib from "node:zlib";
import {
  checkFrameSize,
  type Codec,
  CodecTag,
  FrameSyntaxError,
} from "./codec.ts";
import { checkZstdFrame, zstdFrameSize } from "./zstd_frame.ts";
import { ZstdDecoder, ZstdEncoder } from "./zstd_handle.ts";

/** Lowest level of {@linkcode zstdCodec}. */
export const ZSTD_LEVEL_MIN = 1;

/** Highest level of {@linkcode zstdCodec}. */
export const ZSTD_LEVEL_MAX = 19;

/** Level of {@linkcode zstdCodec} where none is given. */
export const ZSTD_LEVEL_DEFAULT = 3;

/** Options of {@linkcode zstdCodec}. */
export interface ZstdCodecOptions {
  /** From 1, the fastest, to 19, the smallest; 3 where it is not given. */
  readonly level?: number;
}

type EncoderOptions = zlib.ZstdOptions & { pledgedSrcSize: number };

let loaded: typeof zlib | undefined;

// A static import costs every program that only names a codec 10 ms, and does
// not link on Node 20, whose node:zlib lacks these functions.
function find(): typeof zlib | undefined {
  if (loaded === undefined) {
    const found = globalThis.process?.getBuiltinModule?.("node:zlib");
    if (typeof found?.zstdDecompressSync === "function") loaded = found;
  }
  return loaded;
}

function load(): typeof zlib {
  const found = find();
  if (found !== undefined) return found;
  throw new TypeError(
    "Cannot use zstd as node:zlib lacks it: needs Deno, Node 22.15 or newer, or a decoder in the options",
  );
}

/** Whether this runtime has Zstandard of its own. */
export function hasZstd(): boolean {
  return find() !== undefined;
}

let decoder: ZstdDecoder | undefined;
let canReuse = true;

/** Decodes with a decoder that is kept; returns what went wrong. */
function decode(stored: Uint8Array, out: Uint8Array): string | undefined {
  if (canReuse) decoder ??= ZstdDecoder.open(load());
  canReuse = decoder !== undefined;
  if (decoder === undefined) return decodeOnce(stored, out);
  const problem = decoder.decompress(stored, out);
  if (problem !== undefined) {
    decoder.close();
    decoder = undefined;
  }
  return problem;
}

function decodeOnce(stored: Uint8Array, out: Uint8Array): string | undefined {
  try {
    const maxOutputLength = Math.max(out.length, 1);
    const plain = load().zstdDecompressSync(stored, { maxOutputLength });
    if (plain.length !== out.length) return `${plain.length} plain bytes`;
    out.set(plain);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

function overlaps(a: Uint8Array, b: Uint8Array): boolean {
  return a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.length &&
    b.byteOffset < a.byteOffset + a.length;
}

function decompress(stored: Uint8Array, out: Uint8Array): void {
  checkBytes(stored, "stored bytes");
  checkBytes(out, "place of the content");
  checkZstdFrame(stored, out.length);
  const from = overlaps(stored, out) ? new Uint8Array(stored) : stored;
  const problem = decode(from, out);
  if (problem === undefined) return;
  throw new FrameSyntaxError(
    `Cannot read zstd frame as it has ${out.length} plain bytes: found ${problem}`,
    0,
  );
}

function encodeOnce(plain: Uint8Array, level: number): Uint8Array | undefined {
  const { constants, zstdCompressSync } = load();
  const options: EncoderOptions = {
    params: { [constants.ZSTD_c_compressionLevel]: level },
    // Else Deno does not know the size: 3.6 % larger at 256 KiB.
    pledgedSrcSize: plain.length,
  };
  const output = zstdCompressSync(plain, options);
  // Deno 2.9 ends most of its output with a second frame, an empty one.
  const size = zstdFrameSize(output);
  if (size >= plain.length) return undefined;
  // Not a Buffer, whose slice() does not copy.
  return new Uint8Array(output.buffer, output.byteOffset, size);
}

/**
 * Makes a codec for Zstandard.
 *
 * The compressed bytes differ between runtimes and their releases. A frame
 * carries its plain size and no dictionary.
 *
 * @param options Level
 * @returns The codec
 * @throws {RangeError} If the level is not a whole number from 1 to 19
 *
 * @example
 * ```ts
 * import { zstdCodec } from "@snap/pack/codecs";
 * import { deepEqual } from "node:assert/strict";
 *
 * const codec = zstdCodec({ level: 1 });
 * const plain = new Uint8Array(1000);
 * const stored = codec.compress(plain)!;
 * const out = new Uint8Array(1000);
 * codec.decompress(stored, out);
 * deepEqual(out, plain);
 * ```
 */
export function zstdCodec(options?: ZstdCodecOptions): Codec {
  const level = options?.level ?? ZSTD_LEVEL_DEFAULT;
  if (
    !Number.isInteger(level) || level < ZSTD_LEVEL_MIN || level > ZSTD_LEVEL_MAX
  ) {
    throw new RangeError(
      `Cannot make zstd codec as the level is ${ZSTD_LEVEL_MIN} to ${ZSTD_LEVEL_MAX}: found ${level}`,
    );
  }
  let encoder: ZstdEncoder | undefined;
  let isOpened = false;
  return {
    tag: CodecTag.zstd,
    name: `zstd:${level}`,
    compress(plain: Uint8Array): Uint8Array | undefined {
      checkFrameSize(plain);
      if (!isOpened) encoder = ZstdEncoder.open(load(), level);
      isOpened = true;
      return encoder ? encoder.compress(plain) : encodeOnce(plain, level);
    },
    decompress,
  };
}
