import { deepEqual, equal, ok, throws } from "node:assert/strict";
import * as peer from "lz4-wasm-nodejs";
import { Prng, seededTest } from "../../tests/_prng.ts";
import { FRAME_SIZE_MAX, FrameSyntaxError } from "./codec.ts";
import { lz4Codec } from "./lz4_codec.ts";

/** Bytes that repeat themselves, from near and far, at all small periods. */
function makePlain(prng: Prng, size: number): Uint8Array<ArrayBuffer> {
  const plain = prng.bytes(size);
  let at = prng.below(40);
  while (at < size) {
    const period = 1 + prng.below(prng.pick([2, 9, 17, 300, 70_000]));
    const count = prng.below(prng.pick([8, 20, 300, 3000]));
    for (let i = 0; i < count && at < size; i++, at++) {
      if (at >= period) plain[at] = plain[at - period];
    }
    at += prng.below(prng.pick([2, 16, 300]));
  }
  return plain;
}

function decompress(stored: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size + 64).fill(0xa5);
  lz4Codec.decompress(stored, out.subarray(32, 32 + size));
  ok(out.subarray(0, 32).every((byte) => byte === 0xa5));
  ok(out.subarray(32 + size).every((byte) => byte === 0xa5));
  return out.slice(32, 32 + size);
}

/** The peer's blocks have their plain size before them. */
function toPeer(stored: Uint8Array, size: number): Uint8Array {
  const bytes = new Uint8Array(4 + stored.length);
  new DataView(bytes.buffer).setUint32(0, size, true);
  bytes.set(stored, 4);
  return bytes;
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

seededTest("lz4Codec and lz4-wasm read each other's blocks", (prng) => {
  const plain = makePlain(prng, prng.below(prng.pick([30, 2000, 300_000])));
  const stored = lz4Codec.compress(plain)?.slice();
  if (stored !== undefined) {
    deepEqual(decompress(stored, plain.length), plain);
    deepEqual(peer.decompress(toPeer(stored, plain.length)), plain);
  }
  const theirs = peer.compress(plain).subarray(4);
  if (plain.length > 0) deepEqual(decompress(theirs, plain.length), plain);
}, { roundCount: 300 });

Deno.test("lz4Codec compresses every small size of zeros", () => {
  for (let size = 0; size < 600; size++) {
    const stored = lz4Codec.compress(new Uint8Array(size))?.slice();
    equal(stored === undefined, size < 13, `${size}`);
    if (stored) deepEqual(decompress(stored, size), new Uint8Array(size));
  }
});

Deno.test("lz4Codec refuses to compress what does not shrink", () => {
  const plain = new Prng(1).bytes(100_000);
  equal(lz4Codec.compress(plain), undefined);
  equal(lz4Codec.compress(new Uint8Array(0)), undefined);
});

Deno.test("lz4Codec takes the largest frame and none larger", () => {
  const plain = makePlain(new Prng(2), FRAME_SIZE_MAX);
  const stored = lz4Codec.compress(plain)!.slice();
  deepEqual(decompress(stored, plain.length), plain);
  const larger = new Uint8Array(FRAME_SIZE_MAX + 1);
  throws(() => lz4Codec.compress(larger), RangeError);
  throws(() => lz4Codec.decompress(stored, larger), RangeError);
});

Deno.test("lz4Codec gives the same bytes however often it was used", () => {
  const plain = makePlain(new Prng(3), 50_000);
  const first = lz4Codec.compress(plain)!.slice();
  for (let i = 0; i < 40; i++) {
    lz4Codec.compress(makePlain(new Prng(i), 1 + i * 3000));
    deepEqual(lz4Codec.compress(plain), first);
  }
});

Deno.test("lz4Codec decompresses to shared memory, also in place", () => {
  const plain = makePlain(new Prng(4), 30_000);
  const stored = lz4Codec.compress(plain)!;
  const out = new Uint8Array(new SharedArrayBuffer(plain.length));
  out.set(stored);
  lz4Codec.decompress(out.subarray(0, stored.length), out);
  deepEqual(new Uint8Array(out), plain);
});

const DAMAGED: Record<string, [stored: Uint8Array, plainSize: number]> = {
  "nothing": [bytes(), 5],
  "no literals where the token says some": [bytes(0x50, 1, 2), 5],
  "literals that end early": [bytes(0x40, 1, 2, 3, 4), 5],
  "literals that do not fit": [bytes(0x60, 1, 2, 3, 4, 5, 6), 5],
  "a size of literals that does not end": [bytes(0xf0, 255, 255), 500],
  "a size of literals of four gigabytes": [
    new Uint8Array(1000).fill(255),
    1000,
  ],
  "half a distance": [bytes(0x10, 1, 1), 20],
  "distance zero": [bytes(0x10, 1, 0, 0, 0x50, 1, 2, 3, 4, 5), 10],
  "a distance to before the frame": [
    bytes(0x10, 1, 2, 0, 0x50, 1, 2, 3, 4, 5),
    10,
  ],
  "a size of a match that does not end": [bytes(0x1f, 1, 1, 0, 255), 600],
  "a match that does not fit": [bytes(0x1f, 1, 1, 0, 40, 0x10, 9), 30],
  "a match over the last literals": [bytes(0x12, 1, 1, 0, 0x10, 9), 8],
  "a match at the end": [bytes(0x10, 1, 1, 0), 5],
  "bytes after the end": [bytes(0x10, 1, 0x10), 1],
  "more bytes than any frame of its size": [new Uint8Array(18), 1],
};

for (const [damage, [stored, plainSize]] of Object.entries(DAMAGED)) {
  Deno.test(`lz4Codec refuses ${damage}`, () => {
    throws(() => decompress(stored, plainSize), FrameSyntaxError);
  });
}

Deno.test("lz4Codec names the offset of the damage", () => {
  throws(
    () => lz4Codec.decompress(bytes(0x10, 1, 0, 0, 0), new Uint8Array(10)),
    { name: "FrameSyntaxError", offset: 2 },
  );
});

// Two plain frames and 100,000 damaged ones: each is refused, or fills exactly
// the place it is given. The kernel's memory traps what would leave it.
seededTest("lz4Codec stays within bounds for any input", (prng) => {
  const plain = makePlain(prng, 20 + prng.below(prng.pick([60, 3000])));
  const sound = lz4Codec.compress(plain)?.slice() ?? prng.bytes(40);
  const out = new Uint8Array(plain.length + 64).fill(0xa5);
  const place = out.subarray(32, 32 + plain.length);
  for (let i = 0; i < 1000; i++) {
    const stored = sound.slice(0, prng.pick([1, prng.unit()]) * sound.length);
    for (let n = prng.below(4); n >= 0 && stored.length > 0; n--) {
      stored[prng.below(stored.length)] = prng.pick([0, 255, prng.below(256)]);
    }
    try {
      lz4Codec.decompress(stored, place);
    } catch (error) {
      ok(error instanceof FrameSyntaxError, String(error));
    }
  }
  ok(out.subarray(0, 32).every((byte) => byte === 0xa5));
  ok(out.subarray(32 + plain.length).every((byte) => byte === 0xa5));
}, { roundCount: 100 });
