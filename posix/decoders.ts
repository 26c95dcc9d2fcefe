/**
 * Decoders of the operating system: liblz4 and libzstd, where it has them.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
import { loadLibrary } from "./native_library.ts";
import { allowed } from "./allowed.ts";

/**
 * Decodes one block of LZ4, or one frame of Zstandard.
 *
 * @param out Place for the plain bytes, not over `stored`; nothing else is written to
 * @returns The number of plain bytes, or a negative number where `stored` is not
 * to be decoded, or `out` is too small; then `out` may have been written to
 */
export type NativeDecoder = (stored: Uint8Array, out: Uint8Array) => number;

/** A library and its version. */
export interface NamedDecoder {
  /** Its name and version, such as `liblz4 1.9.4`. */
  readonly name: string;
  /** Decodes. */
  readonly decode: NativeDecoder;
}

/** The decoders that are there. */
export interface NativeDecoders {
  /** Decodes blocks of LZ4, without a size or a frame header. */
  readonly lz4?: NamedDecoder;
  /** Decodes frames of Zstandard. */
  readonly zstd?: NamedDecoder;
}

/**
 * The decoders that the operating system has, and the program may load: for 64 KiB half of what
 * portable ones take. Loaded with the module.
 *
 * @example
 * ```ts
 * import { nativeDecoders } from "@snap/posix/decoders";
 *
 * console.log(nativeDecoders.zstd?.name ?? "portable");
 * ```
 */
export const nativeDecoders: NativeDecoders = await load();

async function load(): Promise<NativeDecoders> {
  if (!allowed("ffi")) return {};
  const [lz4, zstd] = await Promise.all([
    loadLz4().catch(() => undefined),
    loadZstd().catch(() => undefined),
  ]);
  return { ...lz4 && { lz4 }, ...zstd && { zstd } };
}

async function loadLz4(): Promise<NamedDecoder> {
  const { LZ4_versionNumber, LZ4_decompress_safe } = await loadLibrary(
    "liblz4.so.1",
    { LZ4_versionNumber: "", LZ4_decompress_safe: "bbii" },
  );
  return {
    name: `liblz4 ${versionOf(LZ4_versionNumber())}`,
    decode: (stored, out) =>
      LZ4_decompress_safe(stored, out, stored.length, out.length),
  };
}

async function loadZstd(): Promise<NamedDecoder> {
  const library = await loadLibrary("libzstd.so.1", {
    ZSTD_versionNumber: "",
    ZSTD_estimateDCtxSize: "",
    ZSTD_initStaticDCtx: "bs",
    ZSTD_decompressDCtx: "bbsbs",
  });
  const { ZSTD_decompressDCtx } = library;
  // Memory of the isolate, which goes with it; the decoder needs no more, and begins where it does.
  const context = new Uint8Array(library.ZSTD_estimateDCtxSize());
  if (library.ZSTD_initStaticDCtx(context, BigInt(context.length)) === 0) {
    throw new Error("Cannot use libzstd: it gets no memory for its decoder");
  }
  return {
    name: `libzstd ${versionOf(library.ZSTD_versionNumber())}`,
    decode: (stored, out) =>
      ZSTD_decompressDCtx(
        context,
        out,
        BigInt(out.length),
        stored,
        BigInt(stored.length),
      ),
  };
}

function versionOf(number: number): string {
  const parts = [number / 10_000, number / 100, number];
  return parts.map((part) => Math.floor(part) % 100).join(".");
}
