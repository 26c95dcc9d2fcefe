import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { Prng, seedOfRun } from "../../tests/_prng.ts";
import { Arena, ArenaFullError } from "./arena.ts";

const BLOCK = 65_536;

interface Run {
  readonly slot: number;
  readonly address: number;
  readonly size: number;
}

/** Marks the bytes of a run, which nobody else may have. */
function mark(arena: Arena, run: Run, mark: number): void {
  arena.bytes.fill(mark, 8 * run.address, 8 * run.address + run.size);
}

function isMarked(arena: Arena, run: Run, mark: number): boolean {
  return arena.bytes.subarray(8 * run.address, 8 * run.address + run.size)
    .every((byte) => byte === mark);
}

Deno.test("Arena gives runs that never overlap, and all memory again", () => {
  const seed = seedOfRun();
  const prng = new Prng(seed);
  const arena = Arena.create({ sizeMax: 64 * BLOCK, isAll: true });
  const other = new Arena(arena.buffer);
  const blocksAtFirst = arena.blocksUsed;
  const volumes = new Map<number, { mark: number; runs: Run[] }>();
  let full = 0;
  for (let step = 0; step < 5000; step++) {
    const one = prng.below(2) === 0 ? arena : other;
    const slots = [...volumes.keys()];
    const choice = prng.below(100);
    if (choice === 0 || slots.length === 0) {
      const slot = one.addVolume();
      one.setRoot(slot, 1);
      one.remember(slot);
      volumes.set(slot, { mark: 1 + prng.below(255), runs: [] });
    } else if (choice < 3) {
      const slot = prng.pick(slots);
      const { mark, runs } = volumes.get(slot)!;
      for (const run of runs) ok(isMarked(other, run, mark), `seed ${seed}`);
      one.forget(slot, 1);
      volumes.delete(slot);
      for (const { address } of runs) ok(arena.slotAt(address) !== slot);
    } else {
      const slot = prng.pick(slots);
      const size = prng.below(8) === 0
        ? prng.below(5 * BLOCK)
        : 1 + prng.below(2000);
      const volume = volumes.get(slot)!;
      try {
        const run = { slot, address: one.allocate(slot, size), size };
        equal(arena.slotAt(run.address), slot);
        mark(one, run, volume.mark);
        volume.runs.push(run);
      } catch (error) {
        ok(error instanceof ArenaFullError);
        full++;
      }
    }
  }
  ok(full > 10, `the memory was used up, seed ${seed}`);
  for (const slot of volumes.keys()) arena.forget(slot, 1);
  equal(arena.blocksUsed, blocksAtFirst);
});

Deno.test("Arena of one volume wastes nothing between blocks", () => {
  const arena = Arena.create({ sizeMax: 32 * BLOCK, isAll: false });
  const slot = arena.addVolume();
  arena.setRoot(slot, 1);
  let next = arena.allocate(slot, 1000) + 125;
  for (const size of [BLOCK, 8, 3 * BLOCK + 5, 100_000, 9]) {
    equal(arena.allocate(slot, size), next);
    next += Math.ceil(size / 8);
  }
});

Deno.test("Arena counts more references than 2^32", () => {
  const arena = Arena.create({ sizeMax: 32 * BLOCK, isAll: true });
  const slot = arena.addVolume();
  arena.setRoot(slot, 5);
  arena.forget(slot, -(2 ** 33));
  arena.remember(slot);
  equal(arena.references(slot), 2 ** 33 + 1);
  arena.forget(slot, 2 ** 33);
  equal(arena.rootOf(slot), 5);
  arena.forget(slot, 1);
  equal(arena.rootOf(slot), 0);
  equal(arena.freedCount, 1);
});

Deno.test("Arena never gives a number of a volume again", () => {
  const arena = Arena.create({ sizeMax: 32 * BLOCK, isAll: true });
  const numbers = Array.from({ length: 100 }, () => {
    const slot = arena.addVolume();
    arena.setRoot(slot, 1);
    const number = arena.volumeNumber(slot);
    arena.remember(slot);
    arena.forget(slot, 1);
    return number;
  });
  equal(new Set(numbers).size, 100);
});

Deno.test("Arena takes less memory where there is not enough", () => {
  const original = globalThis.SharedArrayBuffer;
  const sizes: number[] = [];
  class Small extends original {
    constructor(size: number) {
      sizes.push(size);
      if (size > 1 << 22) {
        throw new RangeError("Array buffer allocation failed");
      }
      super(size);
    }
  }
  globalThis.SharedArrayBuffer = Small as SharedArrayBufferConstructor;
  try {
    const arena = Arena.create({ sizeMax: 2 ** 40, isAll: false });
    equal(arena.buffer.byteLength, 1 << 22);
    deepEqual(sizes.slice(0, 2), [2 ** 32, 2 ** 31]);
  } finally {
    globalThis.SharedArrayBuffer = original;
  }
  throws(() => new Arena(new SharedArrayBuffer(1 << 20)), RangeError);
});
