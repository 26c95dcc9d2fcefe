import { deepEqual, equal, throws } from "node:assert/strict";
import { CodecTag, FrameSyntaxError } from "./codec.ts";
import { decodeFrame, type FrameDecoder } from "./frame_decoders.ts";
import { lz4Codec } from "./lz4_codec.ts";
import { zstdCodec } from "./zstd_codec.ts";

const plain = new Uint8Array(1000).fill(7);
const stored = {
  lz4: lz4Codec.compress(plain)!.slice(),
  zstd: zstdCodec().compress(plain)!.slice(),
};

/** Decoders of both codecs that do the same, and count. */
function counting(decode: FrameDecoder) {
  const counts = { lz4: 0, zstd: 0 };
  const of = (name: "lz4" | "zstd") => ({
    decode: (stored: Uint8Array, out: Uint8Array) => {
      counts[name]++;
      return decode(stored, out);
    },
  });
  return { counts, decoders: { lz4: of("lz4"), zstd: of("zstd") } };
}

Deno.test("decodeFrame uses the decoders that it is given", () => {
  const { counts, decoders } = counting((_, out) => out.fill(9).length);
  for (const name of ["lz4", "zstd"] as const) {
    const out = new Uint8Array(plain.length);
    decodeFrame(CodecTag[name], stored[name], out, decoders);
    deepEqual(out, new Uint8Array(1000).fill(9));
    decodeFrame(CodecTag[name], stored[name], out, {});
    deepEqual(out, plain);
    equal(counts[name], 1);
  }
});

Deno.test("decodeFrame asks the codec about what a decoder refuses", () => {
  for (const result of [-1, 0, 999, 1001]) {
    const { counts, decoders } = counting(() => result);
    for (const name of ["lz4", "zstd"] as const) {
      const out = new Uint8Array(plain.length);
      decodeFrame(CodecTag[name], stored[name], out, decoders);
      deepEqual(out, plain);
      const cut = stored[name].subarray(0, -1);
      throws(
        () => decodeFrame(CodecTag[name], cut, out, decoders),
        FrameSyntaxError,
      );
      equal(counts[name], name === "lz4" ? 2 : 1);
    }
  }
});

Deno.test("decodeFrame gives no decoder what is not one frame of that size", () => {
  const { counts, decoders } = counting((_, out) => out.length);
  const { lz4, zstd } = stored;
  const twice = new Uint8Array(2 * zstd.length);
  twice.set(zstd);
  twice.set(zstd, zstd.length);
  const cases: [number, Uint8Array, number][] = [
    [CodecTag.zstd, twice, 2000],
    [CodecTag.zstd, twice, 1000],
    [CodecTag.zstd, zstd, 999],
    [CodecTag.lz4, new Uint8Array(2000), 1000],
    [CodecTag.lz4, lz4, 0],
    [3, zstd, 1000],
  ];
  for (const [tag, bytes, size] of cases) {
    const out = new Uint8Array(size);
    throws(() => decodeFrame(tag, bytes, out, decoders), FrameSyntaxError);
  }
  deepEqual(counts, { lz4: 0, zstd: 0 });
});
