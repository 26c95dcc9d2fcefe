/**
 * Decoders and an encoder of the operating system: liblz4 and libzstd, where it has them.
 *
 * @module
 */
import { allowed } from "./allowed.ts";
import { type NativeFunctions, openLibrary } from "./native_library.ts";

/**
 * Decodes one block of LZ4, or one frame of Zstandard.
 *
 * @param stored Stored bytes
 * @param out Place for the plain bytes, not over `stored`; nothing else is written to
 * @returns The number of plain bytes, or a negative number where `stored` is not
 * to be decoded, or `out` is too small, or there is no such library; then `out`
 * may have been written to
 */
export type NativeDecoder = (stored: Uint8Array, out: Uint8Array) => number;

/**
 * Encodes one block of LZ4.
 *
 * @param plain Plain bytes
 * @param out Place for the stored bytes, not over `plain`
 * @returns The number of stored bytes, at least 1; 0 where `out` is too small; a
 * negative number where there is no such library
 */
export type NativeEncoder = (plain: Uint8Array, out: Uint8Array) => number;

/** A decoder of a library. */
export interface NamedDecoder {
  /** Name and version of the library, such as `liblz4 1.9.4`; `undefined` where it is not to be had. */
  readonly name: string | undefined;
  /** Decodes. */
  readonly decode: NativeDecoder;
}

/** The decoders. */
export interface NativeDecoders {
  /** Decodes blocks of LZ4, without a size or a frame header. */
  readonly lz4: NamedDecoder;
  /** Decodes frames of Zstandard. */
  readonly zstd: NamedDecoder;
}

/** The encoders. */
export interface NativeEncoders {
  /** Encodes blocks of LZ4, without a size or a frame header. */
  readonly lz4: {
    /** Encodes. */
    readonly encode: NativeEncoder;
  };
}

interface Tried<F> {
  readonly name: string;
  readonly call: F;
}

const LZ4 = {
  LZ4_versionNumber: "",
  LZ4_decompress_safe: "bbii",
  LZ4_compress_default: "bbii",
};
const ZSTD = {
  ZSTD_versionNumber: "",
  ZSTD_estimateDCtxSize: "",
  ZSTD_initStaticDCtx: "bs",
  ZSTD_decompressDCtx: "bbsbs",
};

// Nobody is asked for the permission.
const isAllowed = allowed("ffi");
const lz4 = isAllowed ? openLibrary("liblz4.so.1", LZ4) : undefined;
const zstd = isAllowed ? openLibrary("libzstd.so.1", ZSTD) : undefined;

const ABSENT = -1;

const lz4Decoder = tried(lz4, (library): Tried<NativeDecoder> => {
  const { LZ4_decompress_safe } = library;
  const call: NativeDecoder = (stored, out) =>
    LZ4_decompress_safe(stored, out, stored.length, out.length);
  tryDecoder(call, LZ4_BLOCK);
  return { name: `liblz4 ${versionOf(library.LZ4_versionNumber())}`, call };
});

const lz4Encoder = tried(lz4, (library): Tried<NativeEncoder> => {
  const { LZ4_compress_default } = library;
  const call: NativeEncoder = (plain, out) =>
    LZ4_compress_default(plain, out, plain.length, out.length);
  tryEncoder(call);
  return { name: `liblz4 ${versionOf(library.LZ4_versionNumber())}`, call };
});

const zstdDecoder = tried(zstd, (library): Tried<NativeDecoder> => {
  const { ZSTD_decompressDCtx } = library;
  // Memory of the isolate, which goes with it; the decoder needs no more, and begins where it does.
  const context = new Uint8Array(library.ZSTD_estimateDCtxSize());
  if (library.ZSTD_initStaticDCtx(context, BigInt(context.length)) === 0) {
    throw new Error("Cannot use libzstd: it gets no memory for its decoder");
  }
  const call: NativeDecoder = (stored, out) =>
    ZSTD_decompressDCtx(
      context,
      out,
      BigInt(out.length),
      stored,
      BigInt(stored.length),
    );
  tryDecoder(call, ZSTD_FRAME);
  return { name: `libzstd ${versionOf(library.ZSTD_versionNumber())}`, call };
});

/**
 * The decoders that the operating system has, and the program may load: for 64 KiB half of what
 * portable ones take. Each is tried before it is used first. Where there is none, and where Deno
 * was not given `--allow-ffi`, it refuses everything, so that the portable one decodes.
 *
 * @example
 * ```ts
 * import { nativeDecoders } from "@snap/posix/decoders";
 * import { openStoreReader } from "@snap/pack/read";
 * import { MemoryStore } from "@snap/store/memory";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 *
 * console.log(nativeDecoders.zstd.name ?? "portable");
 * const reader = await openStoreReader(new MemoryStore(), {
 *   hasher: wasmHasher,
 *   decoders: nativeDecoders,
 * });
 * await reader[Symbol.asyncDispose]();
 * ```
 */
export const nativeDecoders: NativeDecoders = {
  lz4: named(lz4Decoder),
  zstd: named(zstdDecoder),
};

/**
 * The encoders that the operating system has, in the same way: liblz4 takes two thirds of the time
 * of the portable one. The stored bytes differ between its releases.
 *
 * @example
 * ```ts
 * import { nativeEncoders } from "@snap/posix/decoders";
 *
 * const out = new Uint8Array(100);
 * console.log(nativeEncoders.lz4.encode(new Uint8Array(1000), out) < 100);
 * ```
 */
export const nativeEncoders: NativeEncoders = {
  lz4: {
    encode: (plain, out) => lz4Encoder()?.call(plain, out) ?? ABSENT,
  },
};

function named(find: () => Tried<NativeDecoder> | undefined): NamedDecoder {
  return {
    get name() {
      return find()?.name;
    },
    decode: (stored, out) => find()?.call(stored, out) ?? ABSENT,
  };
}

/** Makes a function of a library ready, and tries it, when it is asked for first. */
function tried<S extends Readonly<Record<string, string>>, F>(
  library: (() => NativeFunctions<S>) | undefined,
  tryIt: (library: NativeFunctions<S>) => Tried<F>,
): () => Tried<F> | undefined {
  let found: Tried<F> | undefined;
  let isTried = library === undefined;
  return () => {
    if (isTried) return found;
    isTried = true;
    try {
      found = tryIt(library!());
    } catch {
      // It is not installed, or does not do what it should.
    }
    return found;
  };
}

/** Content that the libraries are tried with, as a block of LZ4 and in a frame of Zstandard. */
const PLAIN = Uint8Array.of(0x73, 0x6e, 0x61, 0x70);
const LZ4_BLOCK = Uint8Array.of(0x40, ...PLAIN);
const ZSTD_FRAME = Uint8Array.from(
  [0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x21, 0, 0, ...PLAIN],
);

function tryDecoder(decode: NativeDecoder, stored: Uint8Array): void {
  const out = new Uint8Array(PLAIN.length);
  const isRight = decode(stored, out) === PLAIN.length &&
    PLAIN.every((byte, i) => byte === out[i]) &&
    decode(stored.subarray(0, -1), out) !== PLAIN.length &&
    decode(stored, out.subarray(1)) < 0;
  if (!isRight) throw new Error("Cannot use decoder: it decodes wrongly");
}

function tryEncoder(encode: NativeEncoder): void {
  const out = new Uint8Array(LZ4_BLOCK.length);
  const isRight = encode(PLAIN, out) === LZ4_BLOCK.length &&
    LZ4_BLOCK.every((byte, i) => byte === out[i]) &&
    encode(PLAIN, out.subarray(1)) === 0;
  if (!isRight) throw new Error("Cannot use encoder: it encodes wrongly");
}

/** Text of a version that is given as a number, such as 10904. */
function versionOf(number: number): string {
  const parts = [number / 10_000, number / 100, number];
  return parts.map((part) => Math.floor(part) % 100).join(".");
}
