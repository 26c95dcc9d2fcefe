import { equal, ok, throws } from "node:assert/strict";
import { seededTest } from "../../tests/_prng.ts";
import type { CachedObject } from "./frame_cache.ts";
import { HeapFrameCache } from "./heap_frame_cache.ts";

function fill(cache: HeapFrameCache, key: number, size: number): number {
  const slot = cache.pin(key, size);
  if (!cache.isPlain(slot)) {
    cache.bytes(slot).fill(key);
    cache.publish(slot);
  }
  return slot;
}

/** Uses frames of 100 bytes so that they are kept: again, after another one. */
function useTwice(cache: HeapFrameCache, keys: readonly number[]): void {
  for (const key of keys) {
    cache.unpin(fill(cache, key, 100));
    cache.unpin(fill(cache, 0, 0));
    cache.unpin(fill(cache, key, 100));
  }
}

function object(of: number, offset: number, size: number): CachedObject {
  return { id: new Uint8Array(32).fill(of), offset, size };
}

Deno.test("HeapFrameCache evicts what was not used for the longest time", () => {
  const cache = new HeapFrameCache({ sizeMax: 1600 });
  useTwice(cache, Array.from({ length: 16 }, (_, i) => i + 1));
  cache.unpin(cache.find(1, 100));
  cache.unpin(fill(cache, 17, 100));
  equal(cache.find(2, 100), -1);
  for (const key of [1, 3, 4, 17]) ok(cache.find(key, 100) >= 0, `${key}`);
});

Deno.test("HeapFrameCache drops what passes by before what is asked for again", () => {
  const cache = new HeapFrameCache({ sizeMax: 1600 });
  useTwice(cache, [1, 2]);
  for (let key = 3; key < 50; key++) {
    // The objects of one frame, one after the other.
    for (let i = 0; i < 5; i++) cache.unpin(fill(cache, key, 100));
  }
  equal(cache.size, 400);
  for (const key of [1, 2, 48, 49]) ok(cache.find(key, 100) >= 0, `${key}`);
  equal(cache.find(47, 100), -1);
});

Deno.test("HeapFrameCache gives the memory of no frame that is in use to another", () => {
  const cache = new HeapFrameCache({ sizeMax: 400 });
  const slot = fill(cache, 1, 100);
  for (let key = 2; key < 20; key++) cache.unpin(fill(cache, key, 50 + key));
  ok(cache.bytes(slot).every((byte) => byte === 1));
});

Deno.test("HeapFrameCache keeps what is pinned", () => {
  const cache = new HeapFrameCache({ sizeMax: 300 });
  const slot = fill(cache, 1, 200);
  equal(cache.pin(2, 200), -1);
  equal(cache.bytes(slot)[0], 1);
  cache.unpin(slot);
  ok(cache.pin(2, 200) >= 0);
});

Deno.test("HeapFrameCache has no place for more than its budget", () => {
  const cache = new HeapFrameCache({ sizeMax: 300 });
  equal(cache.pin(1, 301), -1);
  ok(cache.pin(1, 300) >= 0);
});

Deno.test("HeapFrameCache gives no second claim to a frame", () => {
  const cache = new HeapFrameCache();
  const slot = cache.pin(1, 100);
  equal(cache.isPlain(slot), false);
  equal(cache.find(1, 100), -1);
  equal(cache.pin(1, 100), -1);
});

Deno.test("HeapFrameCache drops a frame that failed, or was left", () => {
  const cache = new HeapFrameCache();
  const slot = cache.pin(1, 100);
  cache.fail(slot);
  cache.unpin(slot);
  cache.unpin(cache.pin(2, 100));
  equal(cache.size, 0);
  equal(cache.isPlain(cache.pin(1, 100)), false);
});

Deno.test("HeapFrameCache refuses slots that are not pinned", () => {
  const cache = new HeapFrameCache();
  const slot = fill(cache, 1, 100);
  cache.unpin(slot);
  for (const other of [slot, 5, -1]) {
    throws(() => cache.bytes(other), RangeError);
    throws(() => cache.unpin(other), RangeError);
  }
});

Deno.test("HeapFrameCache remembers an object by id, offset and size", () => {
  const cache = new HeapFrameCache();
  const slot = fill(cache, 1, 1000);
  cache.setChecked(slot, object(1, 10, 20));
  ok(cache.isChecked(slot, object(1, 10, 20)));
  // An index that lies claims other bytes for an id, or another id for bytes.
  equal(cache.isChecked(slot, object(2, 10, 20)), false);
  equal(cache.isChecked(slot, object(1, 10, 21)), false);
  equal(cache.isChecked(slot, object(1, 10, 19)), false);
  for (let i = 0; i < 32; i++) {
    const other = object(1, 10, 20);
    other.id[i] ^= 1;
    equal(cache.isChecked(slot, other), false, `byte ${i} of the id`);
  }
  for (let offset = 11; offset < 1000; offset++) {
    equal(cache.isChecked(slot, object(1, offset, 20)), false);
  }
});

Deno.test("HeapFrameCache may forget that an object was checked", () => {
  const cache = new HeapFrameCache();
  const slot = fill(cache, 1, 1000);
  for (let i = 0; i < 1000; i++) cache.setChecked(slot, object(i, i, 1));
  let known = 0;
  for (let i = 0; i < 1000; i++) {
    if (cache.isChecked(slot, object(i, i, 1))) known++;
  }
  ok(known >= 8 && known < 1000, `${known}`);
});

seededTest("HeapFrameCache is never above its budget, never wrong", (prng) => {
  const cache = new HeapFrameCache({ sizeMax: 20_000 });
  const held: { key: number; slot: number }[] = [];
  for (let i = 0; i < 2000; i++) {
    const key = prng.below(60);
    const slot = cache.pin(key, 100 + key * 50);
    if (slot >= 0) {
      if (!cache.isPlain(slot)) {
        cache.bytes(slot).fill(key);
        cache.publish(slot);
      }
      held.push({ key, slot });
    }
    ok(cache.size <= cache.sizeMax);
    while (held.length > prng.below(6)) {
      const [one] = held.splice(prng.below(held.length), 1);
      const bytes = cache.bytes(one.slot);
      equal(bytes.length, 100 + one.key * 50);
      ok(bytes.every((byte) => byte === one.key));
      cache.unpin(one.slot);
    }
  }
});
