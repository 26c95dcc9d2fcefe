import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { seedOfRun } from "../../tests/_prng.ts";
import { FrameState } from "./frame_cache.ts";
import { SharedFrameCache } from "./shared_frame_cache.ts";
import type { Outcome, Task } from "../testdata/frame_cache_worker.ts";

const WORKER = new URL("../testdata/frame_cache_worker.ts", import.meta.url);

function small(): SharedFrameCache {
  return SharedFrameCache.create({ sizeMax: 1, slotSizes: [16 << 10] });
}

function fill(cache: SharedFrameCache, key: number, size: number): number {
  const slot = cache.pin(key, size);
  if (!cache.isPlain(slot)) {
    cache.bytes(slot).fill(key);
    cache.publish(slot);
  }
  return slot;
}

function message<T>(worker: Worker): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => reject(new Error(event.message));
  return promise;
}

/** Lets two workers read at once; returns what they saw, and the decodes. */
async function stress(cache: SharedFrameCache, task: Partial<Task>) {
  const { frameCount = 200, readCount = 20_000, failures = 0 } = task;
  const counts = new SharedArrayBuffer(4 * (frameCount + 1));
  const words = new Int32Array(counts);
  const seed = seedOfRun();
  const workers = [0, 1].map(() => new Worker(WORKER, { type: "module" }));
  try {
    await Promise.all(workers.map((worker) => message(worker)));
    const outcomes = workers.map((worker, i) => {
      const outcome = message<Outcome>(worker);
      const { buffer } = cache;
      worker.postMessage(
        { buffer, counts, seed: seed + 2 * i, frameCount, readCount, failures },
      );
      return outcome;
    });
    Atomics.store(words, frameCount, 1);
    Atomics.notify(words, frameCount);
    const [one, other] = await Promise.all(outcomes);
    return { one, other, decodes: words.slice(0, frameCount), seed };
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

Deno.test("SharedFrameCache has each frame decoded once by two workers", async () => {
  const cache = SharedFrameCache.create({ sizeMax: 60 << 20 });
  const { one, other, decodes, seed } = await stress(cache, {});
  const nothing = { wrong: 0, private: 0, failed: 0 };
  deepEqual([one, other], [nothing, nothing], `SNAP_SEED=${seed}`);
  ok(decodes.every((count) => count === 1), `SNAP_SEED=${seed}: ${decodes}`);
});

Deno.test("SharedFrameCache keeps what is pinned while it evicts the rest", async () => {
  const cache = SharedFrameCache.create({ sizeMax: 2 << 20 });
  const { one, other, decodes, seed } = await stress(cache, {});
  equal(one.wrong + other.wrong, 0, `SNAP_SEED=${seed}`);
  ok(decodes.some((count) => count > 5), `SNAP_SEED=${seed}`);
});

Deno.test("SharedFrameCache hands out no frame that failed", async () => {
  const cache = SharedFrameCache.create({ sizeMax: 2 << 20 });
  const { one, other, seed } = await stress(cache, { failures: 0.3 });
  equal(one.wrong + other.wrong, 0, `SNAP_SEED=${seed}`);
  ok(one.failed > 100 && other.failed > 100, `SNAP_SEED=${seed}`);
});

Deno.test("SharedFrameCache evicts what was not used since the last round", () => {
  const cache = small();
  for (let key = 0; key < 16; key++) cache.unpin(fill(cache, key, 100));
  cache.unpin(fill(cache, 16, 100));
  // The first round took the mark of use from all; key 5 gets it back.
  cache.unpin(cache.find(5, 100));
  for (let key = 17; key < 25; key++) cache.unpin(fill(cache, key, 100));
  const slot = cache.find(5, 100);
  ok(slot >= 0);
  deepEqual(new Uint8Array(cache.bytes(slot)), new Uint8Array(100).fill(5));
  equal(cache.find(4, 100), -1);
});

Deno.test("SharedFrameCache has no place when all slots are pinned", () => {
  const cache = small();
  const slots = Array.from({ length: 16 }, (_, key) => fill(cache, key, 100));
  equal(cache.pin(16, 100), -1);
  cache.unpin(slots[7]);
  equal(cache.pin(16, 100), slots[7]);
});

Deno.test("SharedFrameCache has no place for frames above its slots", () => {
  const cache = small();
  equal(cache.pin(0, (16 << 10) + 1), -1);
  ok(cache.pin(0, 16 << 10) >= 0);
});

Deno.test("SharedFrameCache tells keys above 32 bits apart", () => {
  const cache = small();
  const keys = [0, 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1, 2 ** 31, 2 ** 52];
  keys.forEach((key, i) => {
    const slot = cache.pin(key, 100);
    cache.bytes(slot).fill(i);
    cache.publish(slot);
  });
  keys.forEach((key, i) => equal(cache.bytes(cache.find(key, 100))[0], i));
  equal(cache.find(3, 100), -1);
});

Deno.test("SharedFrameCache is the same for all over one buffer", () => {
  const cache = small();
  const other = new SharedFrameCache(cache.buffer);
  const slot = fill(cache, 3, 100);
  equal(other.find(3, 100), slot);
  const object = { id: new Uint8Array(32).fill(9), offset: 5, size: 6 };
  cache.setChecked(slot, object);
  ok(other.isChecked(slot, object));
  throws(() => new SharedFrameCache(new SharedArrayBuffer(1000)), RangeError);
});

Deno.test("SharedFrameCache has one thread decode a frame, and the others wait for it", () => {
  const cache = small();
  const other = new SharedFrameCache(cache.buffer);
  const slot = cache.attach(3, 100);
  equal(other.attach(3, 100), slot);
  ok(cache.move(slot, FrameState.empty, FrameState.decoding));
  equal(other.move(slot, FrameState.empty, FrameState.decoding), false);
  equal(other.find(3, 100), -1);
  equal(other.wait(slot, FrameState.decoding, 0), false);
  cache.bytes(slot).set([1, 2, 3]);
  cache.publish(slot);
  equal(other.wait(slot, FrameState.decoding, 1000), true);
  ok(other.isPlain(slot));
});

Deno.test("SharedFrameCache makes a new place for a frame that failed", () => {
  const cache = small();
  const other = new SharedFrameCache(cache.buffer);
  const slot = cache.pin(3, 100);
  equal(other.attach(3, 100), slot);
  cache.fail(slot);
  equal(other.state(slot), FrameState.failed);
  const next = other.pin(3, 100);
  ok(next >= 0 && next !== slot);
  equal(other.isPlain(next), false);
});

Deno.test("SharedFrameCache forgets what was checked with the frame", () => {
  const cache = small();
  const object = { id: new Uint8Array(32).fill(9), offset: 0, size: 6 };
  const slot = fill(cache, 0, 100);
  cache.setChecked(slot, object);
  cache.unpin(slot);
  for (let key = 1; key < 40; key++) cache.unpin(fill(cache, key, 100));
  equal(cache.find(0, 100), -1);
  for (let i = 0; i < 16; i++) equal(cache.isChecked(i, object), false);
});

Deno.test("SharedFrameCache takes slot sizes that are powers of two", () => {
  for (const slotSizes of [[], [100], [8192], [65536, 32768], [8 << 20]]) {
    throws(() => SharedFrameCache.create({ slotSizes }), RangeError);
  }
  ok(SharedFrameCache.create().sizeMax <= 64 << 20);
  equal(small().sizeMax, 16 * (16 << 10));
});

Deno.test("SharedFrameCache keeps no pin for who asks for a frame at another size", () => {
  const cache = small();
  const slots = Array.from({ length: 16 }, (_, key) => fill(cache, key, 100));
  for (const slot of slots) cache.unpin(slot);
  for (let key = 0; key < 16; key++) {
    equal(cache.find(key, 99), -1);
    equal(cache.pin(key, 101), -1);
    equal(cache.attach(key, 102), -1);
  }
  // All may be taken by others.
  const others = Array.from({ length: 16 }, (_, i) => cache.pin(16 + i, 100));
  ok(others.every((slot) => slot >= 0));
});
