// What both caches of frames keep: pins are counted back to none, places are
// met exactly, and what was checked is remembered by all that a claim says.
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { readSlots, SLOT_WORDS, STATE } from "../cache/slot_layout.ts";
import { idOf, makePack, Random, TestFiles } from "../_testing.ts";
import type { Codec } from "../codec/codec.ts";
import { DamageError } from "../errors.ts";
import {
  type CachedObject,
  type FrameCache,
  FrameState,
} from "../cache/frame_cache.ts";
import { HeapFrameCache } from "../cache/heap_frame_cache.ts";
import type { Location } from "../location.ts";
import { lz4Codec } from "../codec/lz4_codec.ts";
import { noneCodec } from "../codec/none_codec.ts";
import { ObjectReader } from "./object_reader.ts";
import { SharedFrameCache } from "../cache/shared_frame_cache.ts";
import { zstdCodec } from "../codec/zstd_codec.ts";

const WAYS = 16;
const SLOT_SIZE = 16 << 10;
const caches: Readonly<Record<string, () => FrameCache>> = {
  HeapFrameCache: () => new HeapFrameCache({ sizeMax: 1 << 20 }),
  SharedFrameCache: () => oneSet(),
};

/** One set of sixteen slots. */
function oneSet(): SharedFrameCache {
  return SharedFrameCache.create({ sizeMax: 1, slotSizes: [SLOT_SIZE] });
}

function fill(cache: FrameCache, key: number, size: number): number {
  const slot = cache.pin(key, size);
  cache.bytes(slot).fill(key);
  cache.publish(slot);
  return slot;
}

/** A cache that counts the pins which its user has not given back. */
function counting(
  cache: FrameCache,
): { cache: FrameCache; pins: () => number } {
  let pins = 0;
  const count = (slot: number) => (pins += slot < 0 ? 0 : 1, slot);
  return {
    pins: () => pins,
    cache: {
      find: (...args) => count(cache.find(...args)),
      pin: (...args) => count(cache.pin(...args)),
      unpin: (slot) => (pins--, cache.unpin(slot)),
      isPlain: (slot) => cache.isPlain(slot),
      bytes: (slot) => cache.bytes(slot),
      publish: (slot) => cache.publish(slot),
      fail: (slot) => cache.fail(slot),
      isChecked: (...args) => cache.isChecked(...args),
      setChecked: (...args) => cache.setChecked(...args),
    },
  };
}

/** Sees that no slot of a set is pinned: each can be had by another frame. */
function allFree(cache: SharedFrameCache): void {
  const slots = new Set<number>();
  for (let key = 1000; key < 1000 + WAYS; key++) {
    slots.add(cache.attach(key, 1));
  }
  equal(slots.size, WAYS);
  ok(!slots.has(-1), "a slot is still pinned");
  for (const slot of slots) cache.unpin(slot);
}

for (const [name, make] of Object.entries(caches)) {
  Deno.test(`${name} remembers what was checked by each byte of a claim`, () => {
    const cache = make();
    const slot = fill(cache, 1, 5000);
    const id = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
    const object: CachedObject = { id, offset: 300, size: 77 };
    cache.setChecked(slot, object);
    ok(cache.isChecked(slot, { ...object, id: id.slice() }));
    for (let at = 0; at < 16; at++) {
      const other = id.slice();
      other[at] ^= 128;
      equal(cache.isChecked(slot, { ...object, id: other }), false, `${at}`);
    }
    for (const offset of [0, 299, 301, 300 + 2 ** 16]) {
      equal(cache.isChecked(slot, { ...object, offset }), false, `${offset}`);
    }
    for (const size of [0, 76, 78, 77 + 2 ** 24]) {
      equal(cache.isChecked(slot, { ...object, size }), false, `${size}`);
    }
  });

  Deno.test(`${name} remembers several claims about the same place`, () => {
    const cache = make();
    const slot = fill(cache, 1, 5000);
    const objects = Array.from({ length: 5 }, (_, i) => ({
      id: new Uint8Array(32).fill(i),
      offset: 10,
      size: 20 + i,
    }));
    objects.forEach((object, i) => {
      equal(cache.isChecked(slot, object), false, `${i}`);
      cache.setChecked(slot, object);
      cache.setChecked(slot, object);
      for (const one of objects.slice(0, i + 1)) {
        ok(cache.isChecked(slot, one));
      }
    });
  });

  Deno.test(`${name} gives no frame of another size than asked for`, () => {
    const cache = make();
    cache.unpin(fill(cache, 1, 100));
    for (const size of [1, 99, 101]) {
      equal(cache.find(1, size), -1);
      equal(cache.pin(1, size), -1);
    }
    const slot = cache.find(1, 100);
    equal(cache.bytes(slot).length, 100);
  });
}

Deno.test("SharedFrameCache pins nothing that it does not hand out", () => {
  const cache = oneSet();
  const slot = cache.pin(1, 100);
  equal(cache.find(1, 100), -1, "nobody finds what is not plain");
  cache.publish(slot);
  equal(cache.find(1, 99), -1);
  equal(cache.pin(1, 99), -1);
  equal(cache.attach(1, 99), -1);
  equal(cache.find(2, 100), -1);
  cache.unpin(slot);
  allFree(cache);
});

Deno.test("SharedFrameCache has the place of a frame that failed for others", () => {
  const cache = oneSet();
  for (let round = 0; round < 3 * WAYS; round++) {
    const slot = cache.pin(1, 100);
    ok(slot >= 0, `${round}`);
    equal(cache.state(slot), FrameState.decoding, `${round}`);
    cache.fail(slot);
    equal(cache.find(1, 100), -1);
    cache.unpin(slot);
  }
  allFree(cache);
});

Deno.test("SharedFrameCache wakes who waits, whatever becomes of the slot", async () => {
  const { empty, decoding } = FrameState;
  const ends: readonly ((cache: SharedFrameCache, slot: number) => void)[] = [
    (cache, slot) => ok(cache.move(slot, empty, decoding)),
    (cache, slot) => cache.publish(slot),
    (cache, slot) => cache.fail(slot),
  ];
  for (const [i, end] of ends.entries()) {
    const cache = oneSet();
    const slot = cache.attach(1, 100);
    const { words, slotWords } = readSlots(cache.buffer);
    const at = slotWords + SLOT_WORDS * slot + STATE;
    const waiting = Atomics.waitAsync(words, at, empty, 10_000);
    // Such a wait alone does not keep a program running.
    const alive = setInterval(() => {}, 1000);
    end(cache, slot);
    equal(await waiting.value, "ok", `${i}`);
    clearInterval(alive);
    equal(cache.wait(slot, empty, 0), true);
    equal(cache.isPlain(slot), i === 1);
  }
});

Deno.test("SharedFrameCache takes a frame as large as a slot, and each slot has bytes of its own", () => {
  const sizes = [16 << 10, 32 << 10, 64 << 10];
  const cache = SharedFrameCache.create({ sizeMax: 4 << 20, slotSizes: sizes });
  const held: { slot: number; key: number; size: number }[] = [];
  let key = 1;
  for (const size of [1, ...sizes.flatMap((one) => [one - 1, one, one + 1])]) {
    for (let i = 0; i < 10; i++, key++) {
      const slot = cache.pin(key, size);
      if (size > sizes[2]) equal(slot, -1);
      else if (slot >= 0) held.push({ slot, key, size });
    }
  }
  ok(held.length > 60);
  equal(new Set(held.map(({ slot }) => slot)).size, held.length);
  for (const { slot, key } of held) {
    cache.bytes(slot).fill(key);
    cache.setChecked(slot, {
      id: new Uint8Array(32).fill(key),
      offset: 0,
      size: 1,
    });
    cache.publish(slot);
  }
  for (const { slot, key, size } of held) {
    equal(cache.find(key, size), slot);
    const bytes = cache.bytes(slot);
    equal(bytes.length, size);
    ok(bytes.every((byte) => byte === key), `${key}`);
    for (const other of held) {
      const object = {
        id: new Uint8Array(32).fill(other.key),
        offset: 0,
        size: 1,
      };
      equal(cache.isChecked(slot, object), other.key === key);
    }
  }
});

Deno.test("HeapFrameCache counts what it keeps to the byte", () => {
  const cache = new HeapFrameCache({ sizeMax: 1600 });
  for (let key = 1; key < 16; key++) {
    cache.unpin(fill(cache, key, 100));
    cache.unpin(fill(cache, 0, 0));
    cache.unpin(fill(cache, key, 100));
  }
  cache.unpin(fill(cache, 16, 100));
  equal(cache.size, 1600, "what fits exactly is kept");
  cache.unpin(fill(cache, 17, 1));
  equal(cache.size, 1501, "one byte more costs one frame");
  equal(cache.find(1, 100), -1);
  ok(cache.find(2, 100) >= 0);
});

Deno.test("HeapFrameCache keeps a failed frame for who has it pinned only", () => {
  const cache = new HeapFrameCache();
  const slot = cache.pin(1, 100);
  equal(cache.pin(1, 100), -1, "a claim is one's own");
  cache.fail(slot);
  equal(cache.bytes(slot).length, 100);
  equal(cache.find(1, 100), -1);
  cache.unpin(slot);
  throws(() => cache.bytes(slot), RangeError);
  throws(() => cache.unpin(slot), RangeError);
  const again = cache.pin(1, 100);
  equal(cache.isPlain(again), false);
  equal(cache.size, 100);
});

Deno.test("HeapFrameCache counts pins of one frame", () => {
  const cache = new HeapFrameCache({ sizeMax: 100 });
  const slot = fill(cache, 1, 100);
  equal(cache.find(1, 100), slot);
  equal(cache.pin(1, 100), slot);
  for (let pins = 3; pins > 0; pins--) {
    equal(cache.pin(2, 100), -1, `${pins} pins`);
    cache.unpin(slot);
  }
  ok(cache.pin(2, 100) >= 0);
});

/** A frame with some objects, and where they lie. */
function oneFrame(plains: Uint8Array[], codec: Codec = noneCodec) {
  const pack = makePack([plains], { codec });
  const files = new TestFiles();
  files.addIndex([pack]);
  const index = files.open();
  const locations = plains.map((plain) =>
    index.locate(idOf(plain), 0, 1) as Location
  );
  const { frameOffset, storedSize } = locations[0];
  const stored = pack.bytes.slice(frameOffset, frameOffset + storedSize);
  return { locations, stored };
}

for (const [name, make] of Object.entries(caches)) {
  Deno.test(`ObjectReader over ${name} gives back every pin, also after damage`, () => {
    const random = new Random(3);
    const plains = [random.bytes(100), random.bytes(50)];
    const { locations: [one, two], stored } = oneFrame(plains);
    const { cache, pins } = counting(make());
    const reader = new ObjectReader({ cache, hasher: wasmHasher });
    const [id, otherId] = plains.map(idOf);
    const wrong = new Uint8Array(32).fill(1);
    const released = (what: string) => {
      reader.release();
      equal(pins(), 0, what);
    };
    equal(reader.take(one, id, 0), undefined);
    released("absent");
    const damaged = stored.slice();
    damaged[3] ^= 1;
    throws(() => reader.decode(one, damaged, id, 0), DamageError);
    released("damaged");
    throws(() => reader.decode(one, stored.subarray(1), id, 0), RangeError);
    released("short");
    throws(() => reader.decode(two, stored, wrong, 0), DamageError);
    released("wrong id");
    deepEqual(reader.decode(one, stored, id, 0).slice(), plains[0]);
    deepEqual(reader.take(two, otherId, 0)?.slice(), plains[1]);
    ok(pins() > 0);
    released("sound");
    equal(reader.take(one, wrong, 0), undefined);
    released("wrong id in the cache");
  });

  Deno.test(`ObjectReader over ${name} checks each id that is claimed for the same bytes`, () => {
    const plain = new Uint8Array(100).fill(7);
    const { locations: [location], stored } = oneFrame([plain]);
    const reader = new ObjectReader({ cache: make(), hasher: wasmHasher });
    const id = idOf(plain);
    reader.decode(location, stored, id, 0);
    // Half an id is remembered, which is enough to tell two apart.
    for (let at = 0; at < 16; at++) {
      const other = id.slice();
      other[at] ^= 1;
      equal(reader.take(location, other, 0), undefined, `byte ${at}`);
      throws(() => reader.decode(location, stored, other, 0), DamageError);
    }
    ok(reader.take(location, id, 0));
    reader.release();
  });

  Deno.test(`ObjectReader over ${name} checks each place that is claimed for an id`, () => {
    const plain = new Uint8Array(100).fill(7);
    const { locations: [location], stored } = oneFrame([plain]);
    const reader = new ObjectReader({ cache: make(), hasher: wasmHasher });
    const id = idOf(plain);
    reader.decode(location, stored, id, 0);
    const claims = [{ offset: 1, size: 99 }, { size: 99 }, { size: 0 }, {
      kind: 2,
    }];
    for (const claim of claims) {
      const other = { ...location, ...claim } as Location;
      equal(reader.take(other, id, 0), undefined);
      throws(() => reader.decode(other, stored, id, 0), DamageError);
    }
    reader.release();
  });
}

Deno.test("ObjectReader keeps 4 MiB of frames apart, to the byte", () => {
  for (const more of [0, 1]) {
    const random = new Random(5);
    const plains = [new Uint8Array((4 << 20) - 100 + more), random.bytes(100)];
    const frames = plains.map((plain) => oneFrame([plain]));
    const cache = new HeapFrameCache({ sizeMax: 0 });
    const reader = new ObjectReader({ cache, hasher: wasmHasher });
    const keyed = frames.map(({ locations: [location] }, i) => ({
      ...location,
      frameKey: i,
    }));
    // Twice, since a frame that comes again is counted once.
    for (const i of [0, 0, 1]) {
      reader.decode(keyed[i], frames[i].stored, idOf(plains[i]), 0);
    }
    equal(reader.take(keyed[0], idOf(plains[0]), 0) !== undefined, more === 0);
    ok(reader.take(keyed[1], idOf(plains[1]), 0) !== undefined);
  }
});

for (const [name, make] of Object.entries(caches)) {
  Deno.test(`ObjectReader over ${name} caches a frame that was damaged once and then is sound`, () => {
    const plain = new Uint8Array(5000).fill(7);
    for (const codec of [lz4Codec, zstdCodec({ level: 1 })]) {
      const { locations: [location], stored } = oneFrame([plain], codec);
      const cache = make();
      const reader = new ObjectReader({ cache, hasher: wasmHasher });
      const id = idOf(plain);
      const { frameKey, plainSize } = location;
      for (let round = 0; round < 20; round++) {
        const garbage = new Uint8Array(stored.length).fill(255);
        throws(() => reader.decode(location, garbage, id, 0), DamageError);
        reader.release();
        equal(cache.find(frameKey, plainSize), -1, "nothing is kept of it");
      }
      deepEqual(reader.decode(location, stored, id, 0).slice(), plain);
      reader.release();
      const slot = cache.find(frameKey, plainSize);
      ok(slot >= 0, "it has a place again");
      deepEqual(cache.bytes(slot).slice(), plain);
      cache.unpin(slot);
    }
  });

  Deno.test(`ObjectReader over ${name} fails with an error that is no damage, and keeps nothing`, () => {
    const plain = new Uint8Array(5000).fill(7);
    const { locations: [location], stored } = oneFrame([plain], lz4Codec);
    const { cache, pins } = counting(make());
    const wrong = new Error("out of memory");
    let isBroken = true;
    const decode = (bytes: Uint8Array, out: Uint8Array): number => {
      if (isBroken) throw wrong;
      lz4Codec.decompress(bytes, out);
      return out.length;
    };
    const decoders = { lz4: { decode } };
    const reader = new ObjectReader({ cache, hasher: wasmHasher, decoders });
    const id = idOf(plain);
    throws(() => reader.decode(location, stored, id, 0), wrong);
    reader.release();
    equal(pins(), 0);
    isBroken = false;
    deepEqual(reader.decode(location, stored, id, 0).slice(), plain);
    ok(reader.take(location, id, 0) !== undefined);
    reader.release();
    equal(pins(), 0);
  });
}
