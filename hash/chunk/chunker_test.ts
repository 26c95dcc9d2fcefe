import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { seededTest } from "../../tests/_prng.ts";
import { Chunker, type ChunkSizes, DEFAULT_CHUNK_SIZES } from "./chunker.ts";

const SMALL: ChunkSizes = {
  sizeMin: 64,
  sizeAverage: 256,
  sizeMax: 1024,
  gearSeed: 0x9e3779b9,
};

/** The numbers that the gear table is made of, one byte of each. */
function noise(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let x = seed;
  for (let i = 0; i < size; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x >>> 11;
  }
  return bytes;
}

function cuts(chunker: Chunker, bytes: Uint8Array): number[] {
  const ends: number[] = [];
  for (let start = 0; start < bytes.length;) {
    start = chunker.cut(bytes, start, bytes.length);
    ends.push(start);
  }
  return ends;
}

/** The text of the format, word by word. */
function referenceCut(
  bytes: Uint8Array,
  start: number,
  sizes: ChunkSizes,
): number {
  const gear: number[] = [];
  for (let x = sizes.gearSeed, i = 0; i < 256; i++) {
    x = (x ^ (x << 13)) >>> 0;
    x = (x ^ (x >>> 17)) >>> 0;
    x = (x ^ (x << 5)) >>> 0;
    gear.push(x);
  }
  const k = Math.log2(sizes.sizeAverage);
  let h = 0;
  for (let i = start + sizes.sizeMin; i < bytes.length; i++) {
    const size = i + 1 - start;
    h = Number(BigInt.asUintN(32, 2n * BigInt(h) + BigInt(gear[bytes[i]])));
    const bits = size <= sizes.sizeAverage ? k + 2 : k - 2;
    const upper = h.toString(2).padStart(32, "0").slice(0, bits);
    if (!upper.includes("1") || size === sizes.sizeMax) return i + 1;
  }
  return bytes.length;
}

Deno.test("Chunker cuts known content at known borders", () => {
  deepStrictEqual(cuts(new Chunker(), noise(400_000, 1)), [
    38835,
    78881,
    124066,
    158517,
    209711,
    237826,
    267616,
    301704,
    347006,
    384622,
    400000,
  ]);
  deepStrictEqual(cuts(new Chunker(SMALL), noise(4000, 2)), [
    284,
    541,
    869,
    1136,
    1429,
    1594,
    1803,
    2181,
    2519,
    2713,
    3049,
    3393,
    3770,
    4000,
  ]);
});

seededTest("Chunker cuts as the format says", (prng) => {
  const sizes = {
    sizeMin: prng.pick([64, 128]),
    sizeAverage: prng.pick([256, 512]),
    sizeMax: prng.pick([1024, 2048]),
    gearSeed: prng.u32() || 1,
  };
  let chunker: Chunker;
  try {
    chunker = new Chunker(sizes);
  } catch {
    return; // A seed that cuts zeros.
  }
  const bytes = prng.bytes(prng.below(6000));
  for (let start = 0; start < bytes.length;) {
    const end = chunker.cut(bytes, start, bytes.length);
    strictEqual(end, referenceCut(bytes, start, sizes));
    start = end;
  }
});

seededTest("Chunker keeps to its sizes", (prng) => {
  const sizes = prng.pick([SMALL, DEFAULT_CHUNK_SIZES]);
  const bytes = prng.bytes(20 * sizes.sizeAverage + prng.below(5000));
  let start = 0;
  for (const end of cuts(new Chunker(sizes), bytes)) {
    ok(end - start <= sizes.sizeMax);
    ok(end - start >= sizes.sizeMin || end === bytes.length);
    start = end;
  }
  strictEqual(start, bytes.length);
}, { roundCount: 10 });

seededTest("Chunker needs no more than the largest size", (prng) => {
  const chunker = new Chunker(SMALL);
  const bytes = prng.bytes(5000);
  for (let start = 0; start < bytes.length;) {
    const end = chunker.cut(bytes, start, bytes.length);
    const near = Math.min(start + SMALL.sizeMax, bytes.length);
    strictEqual(chunker.cut(bytes, start, near), end);
    const alone = bytes.slice(start, near);
    strictEqual(start + chunker.cut(alone, 0, alone.length), end);
    start = end;
  }
});

seededTest("Chunker finds its borders again after an insertion", (prng) => {
  const chunker = new Chunker();
  const bytes = prng.bytes(1 << 20);
  const ends = new Set(cuts(chunker, bytes));
  const inserted = new Uint8Array(bytes.length + 100);
  inserted.set(prng.bytes(100), 5000);
  inserted.set(bytes.subarray(0, 5000));
  inserted.set(bytes.subarray(5000), 5100);
  const moved = cuts(chunker, inserted).map((end) => end - 100);
  const kept = moved.filter((end) => ends.has(end)).length;
  ok(kept >= ends.size - 8, `${kept} of ${ends.size} borders`);
}, { roundCount: 5 });

Deno.test("Chunker cuts chunks about as large as the average", () => {
  const bytes = noise(16 << 20, 3);
  const size = bytes.length / cuts(new Chunker(), bytes).length;
  const { sizeAverage } = DEFAULT_CHUNK_SIZES;
  ok(size > 0.9 * sizeAverage && size < 1.4 * sizeAverage, `${size}`);
});

Deno.test("Chunker runs to the largest size over zeros", () => {
  const { sizeMax } = DEFAULT_CHUNK_SIZES;
  const zeros = new Uint8Array(3 * sizeMax + 5);
  deepStrictEqual(cuts(new Chunker(), zeros), [
    sizeMax,
    2 * sizeMax,
    3 * sizeMax,
    3 * sizeMax + 5,
  ]);
});

Deno.test("Chunker refuses a seed that would cut zeros", () => {
  let refused = 0;
  for (let gearSeed = 1; gearSeed <= 3000; gearSeed++) {
    const sizes = { ...SMALL, gearSeed };
    const ends = referenceCut(new Uint8Array(2048), 0, sizes);
    try {
      new Chunker(sizes);
      strictEqual(ends, SMALL.sizeMax, `${gearSeed} is not refused`);
    } catch (error) {
      ok(error instanceof RangeError);
      ok(ends < SMALL.sizeMax, `${gearSeed} is refused`);
      refused++;
    }
  }
  ok(refused > 0 && refused < 1500, `${refused} refused`);
});

Deno.test("Chunker refuses sizes that are not ascending powers of two", () => {
  const refused: Partial<ChunkSizes>[] = [
    { sizeMin: 0 },
    { sizeMin: 32 },
    { sizeMin: 100 },
    { sizeMin: -64 },
    { sizeMin: 256 },
    { sizeAverage: 1024 },
    { sizeAverage: 300 },
    { sizeAverage: NaN },
    { sizeMax: 256 },
    { sizeMax: 1500 },
    { sizeMax: 8 << 20 },
    { sizeMax: Infinity },
    { gearSeed: 0 },
    { gearSeed: -1 },
    { gearSeed: 1.5 },
    { gearSeed: 2 ** 32 },
    { gearSeed: NaN },
  ];
  for (const change of refused) {
    throws(
      () => new Chunker({ ...SMALL, ...change }),
      RangeError,
      JSON.stringify(change),
    );
  }
  throws(() => new Chunker({ ...SMALL, sizeMin: 65 }), {
    message:
      "Cannot chunk by sizes 65, 256, 1024: they are ascending powers of two from 64 to 4194304",
  });
});

Deno.test("Chunker keeps the sizes that it was made with", () => {
  const sizes = { ...SMALL };
  const chunker = new Chunker(sizes);
  sizes.sizeMax = 4096;
  deepStrictEqual(chunker.sizes, SMALL);
});

Deno.test("Chunker.cut() refuses a range without bytes", () => {
  const chunker = new Chunker(SMALL);
  const bytes = new Uint8Array(2000);
  for (const [start, end] of [[0, 0], [5, 4], [-1, 100], [0, 2001], [NaN, 9]]) {
    throws(() => chunker.cut(bytes, start, end), RangeError);
  }
});
