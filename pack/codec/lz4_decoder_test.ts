import { deepEqual, equal, throws } from "node:assert/strict";
import { seededTest } from "../../tests/_prng.ts";
import { lz4Codec } from "./lz4_codec.ts";
import { lz4Decoder } from "./lz4_decoder.ts";

/** What becomes of a block: the plain bytes, or the error. */
function outcomeOf(
  decode: (stored: Uint8Array, out: Uint8Array) => void,
  stored: Uint8Array,
  size: number,
): Uint8Array | string {
  const out = new Uint8Array(size);
  try {
    decode(stored, out);
    return out;
  } catch (error) {
    return `${error}`;
  }
}

seededTest(
  "lz4Decoder decodes and refuses what the codec does, in the same words",
  (prng) => {
    const plain = new Uint8Array(20 + prng.below(5000));
    const period = 1 + prng.below(20);
    for (let i = 0; i < plain.length; i++) {
      const before = plain[Math.max(0, i - period)];
      plain[i] = prng.unit() < 0.98 ? before : prng.below(256);
    }
    const sound = lz4Codec.compress(plain)?.slice();
    if (sound === undefined) return;
    const out = new Uint8Array(plain.length);
    equal(lz4Decoder.decode(sound, out), plain.length);
    deepEqual(out, plain);
    for (let i = 0; i < 200; i++) {
      const share = prng.pick([1, prng.unit()]);
      const stored: Uint8Array = sound.slice(0, share * sound.length);
      for (let n = prng.below(4); n > 0 && stored.length > 0; n--) {
        stored[prng.below(stored.length)] = prng.below(256);
      }
      const size = plain.length + prng.pick([0, 0, -1, 1]);
      deepEqual(
        outcomeOf((one, to) => lz4Decoder.decode(one, to), stored, size),
        outcomeOf((one, to) => lz4Codec.decompress(one, to), stored, size),
      );
    }
  },
  { roundCount: 30 },
);

Deno.test("lz4Decoder refuses a size that has no end, and nothing at all", () => {
  const out = new Uint8Array(100);
  for (
    const stored of [[], [0xf0], [0xf0, 255, 255], [0x10, 7, 1], [0, 1, 0]]
  ) {
    throws(() => lz4Decoder.decode(Uint8Array.from(stored), out), {
      name: "FrameSyntaxError",
    });
  }
});
