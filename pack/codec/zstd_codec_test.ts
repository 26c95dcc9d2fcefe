import { deepEqual, equal, ok, throws } from "node:assert/strict";
import * as zlib from "node:zlib";
import { Prng, seededTest } from "../../tests/_prng.ts";
import { ZstdDecoder } from "./zstd_handle.ts";
import { FRAME_SIZE_MAX, FrameSyntaxError } from "./codec.ts";
import { zstdCodec } from "./zstd_codec.ts";

/** The encoder takes 40 MiB; a decoder for each call would take 120 more. */
const LOOP_GROWTH_MAX_MIB = 80;

function makePlain(prng: Prng, size: number): Uint8Array<ArrayBuffer> {
  const plain = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    plain[i] = prng.pick([32, 101, plain[i >> 1], prng.below(128)]);
  }
  return plain;
}

function decompress(stored: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  zstdCodec().decompress(stored, out);
  return out;
}

seededTest("zstdCodec gives back what it was given", (prng) => {
  const plain = makePlain(prng, 1 + prng.below(prng.pick([100, 300_000])));
  const codec = zstdCodec({ level: 1 + prng.below(5) });
  const stored = codec.compress(plain);
  if (stored === undefined) return;
  ok(stored.length < plain.length);
  deepEqual(decompress(stored, plain.length), plain);
  deepEqual(new Uint8Array(zlib.zstdDecompressSync(stored)), plain);
}, { roundCount: 100 });

Deno.test("zstdCodec hands out bytes that slice() copies", () => {
  const stored = zstdCodec().compress(new Uint8Array(1000))!;
  equal(Object.getPrototypeOf(stored), Uint8Array.prototype);
});

Deno.test("zstdCodec refuses to compress what does not shrink", () => {
  equal(zstdCodec().compress(new Prng(1).bytes(50_000)), undefined);
  equal(zstdCodec().compress(new Uint8Array(0)), undefined);
  throws(
    () => zstdCodec().compress(new Uint8Array(FRAME_SIZE_MAX + 1)),
    RangeError,
  );
});

Deno.test("zstdCodec takes levels 1 to 19", () => {
  for (const level of [0, 20, 1.5, NaN]) {
    throws(() => zstdCodec({ level }), RangeError);
  }
  const plain = makePlain(new Prng(5), 100_000);
  const sizes = [1, 19].map((level) =>
    zstdCodec({ level }).compress(plain)!.length
  );
  ok(sizes[1] < sizes[0], `${sizes}`);
});

Deno.test("zstdCodec decompresses to shared memory, also in place", () => {
  const plain = makePlain(new Prng(6), 30_000);
  const stored = zstdCodec().compress(plain)!;
  const out = new Uint8Array(new SharedArrayBuffer(plain.length));
  out.set(stored, 100);
  zstdCodec().decompress(out.subarray(100, 100 + stored.length), out);
  deepEqual(new Uint8Array(out), plain);
});

const plain = makePlain(new Prng(7), 5000);
const sound = zstdCodec().compress(plain)!;

function changed(at: number, byte: number): Uint8Array {
  const stored = new Uint8Array(sound);
  stored[at] = byte;
  return stored;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

// A block that repeats one byte 128 Ki times, over and over.
const bomb = joined(
  Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x88, 0x12),
  ...Array.from({ length: 3000 }, () => Uint8Array.of(2, 0, 16, 0)),
  Uint8Array.of(3, 0, 16, 0),
);

const DAMAGED: Record<string, Uint8Array> = {
  "nothing": new Uint8Array(0),
  "four bytes": sound.slice(0, 4),
  "a frame without its last byte": sound.slice(0, -1),
  "a byte after the frame": joined(sound, Uint8Array.of(0)),
  "two frames": joined(sound, sound),
  "another magic": changed(0, 0x29),
  "a dictionary": changed(4, sound[4] | 1),
  "a reserved bit": changed(4, sound[4] | 8),
  "another plain size": changed(5, sound[5] ^ 1),
  "a reserved block type": changed(7, sound[7] | 6),
  "a frame without its plain size": new Uint8Array(
    zlib.zstdCompressSync(plain, {
      params: { [zlib.constants.ZSTD_c_contentSizeFlag]: 0 },
    }),
  ),
  "a bomb that claims the plain size": bomb,
};

for (const [damage, stored] of Object.entries(DAMAGED)) {
  Deno.test(`zstdCodec refuses ${damage}`, () => {
    throws(() => decompress(stored, plain.length), FrameSyntaxError);
    deepEqual(decompress(sound, plain.length), plain);
  });
}

seededTest("zstdCodec refuses damage or fills the place exactly", (prng) => {
  const out = new Uint8Array(plain.length + 64).fill(0xa5);
  for (let i = 0; i < 50; i++) {
    const stored = changed(prng.below(sound.length), prng.below(256));
    try {
      zstdCodec().decompress(stored, out.subarray(32, 32 + plain.length));
    } catch (error) {
      ok(error instanceof FrameSyntaxError, String(error));
    }
  }
  ok(out.subarray(0, 32).every((byte) => byte === 0xa5));
  ok(out.subarray(32 + plain.length).every((byte) => byte === 0xa5));
  deepEqual(decompress(sound, plain.length), plain);
}, { roundCount: 20 });

// Falling back to zstdDecompressSync would pass all other tests.
Deno.test("ZstdDecoder can be kept on this runtime", () => {
  ok(ZstdDecoder.open(zlib) !== undefined);
});

Deno.test("zstdCodec needs bounded memory in a loop that does not yield", async () => {
  const path = new URL("../testdata/zstd_loop.ts", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", path],
  }).output();
  const said = new TextDecoder().decode(stdout);
  ok(/^\d+\n$/.test(said), new TextDecoder().decode(stderr));
  ok(Number(said) < LOOP_GROWTH_MAX_MIB, said);
});
