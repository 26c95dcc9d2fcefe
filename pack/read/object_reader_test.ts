import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { type Hasher, TREE_CONTEXT } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { idOf, makePack, Random, TestFiles } from "../_testing.ts";
import { DamageError } from "../errors.ts";
import { type FrameCache, FrameState } from "../cache/frame_cache.ts";
import { HeapFrameCache } from "../cache/heap_frame_cache.ts";
import { lz4Codec } from "../codec/lz4_codec.ts";
import type { Location } from "../location.ts";
import { ObjectReader } from "./object_reader.ts";
import { SharedFrameCache } from "../cache/shared_frame_cache.ts";
import { zstdCodec } from "../codec/zstd_codec.ts";
import { noneCodec } from "../codec/none_codec.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function setUp(plains: Uint8Array[], codec = noneCodec) {
  const pack = makePack([plains], { codec });
  const files = new TestFiles();
  files.addIndex([pack]);
  const index = files.open();
  const locate = (plain: Uint8Array): Location => {
    const location = index.locate(idOf(plain), 0, 1);
    ok(location);
    return location;
  };
  const stored = (location: Location): Uint8Array => {
    const start = location.frameOffset;
    return pack.bytes.slice(start, start + location.storedSize);
  };
  return { pack, locate, stored };
}

function countingHasher(): { hasher: Hasher; count: () => number } {
  let count = 0;
  const hasher: Hasher = {
    name: "wasm",
    hashInto: (bytes, out, outOffset) => {
      count++;
      wasmHasher.hashInto(bytes, out, outOffset);
    },
    deriveInto: (context, bytes, out, outOffset) =>
      wasmHasher.deriveInto(context, bytes, out, outOffset),
    idOf: (bytes) => wasmHasher.idOf(bytes),
    stream: () => wasmHasher.stream(),
    sparseStream: () => wasmHasher.sparseStream(),
    deriveStream: (context) => wasmHasher.deriveStream(context),
  };
  return { hasher, count: () => count };
}

Deno.test("ObjectReader checks an object once for each decode", () => {
  const plains = [text("one"), text("two"), text("three")];
  const { locate, stored } = setUp(plains);
  const { hasher, count } = countingHasher();
  const reader = new ObjectReader({ cache: new HeapFrameCache(), hasher });
  const first = locate(plains[0]);
  equal(reader.take(first, idOf(plains[0]), 0), undefined);
  reader.release();
  deepEqual(
    reader.decode(first, stored(first), idOf(plains[0]), 0).slice(),
    plains[0],
  );
  reader.release();
  for (let round = 0; round < 3; round++) {
    for (const plain of plains) {
      deepEqual(reader.take(locate(plain), idOf(plain), 0)?.slice(), plain);
      reader.release();
    }
  }
  equal(count(), 3);
});

Deno.test("ObjectReader takes an id from the middle of bytes", () => {
  const plain = text("one");
  const { locate, stored } = setUp([plain]);
  const cache = new HeapFrameCache();
  const reader = new ObjectReader({ cache, hasher: wasmHasher });
  const ids = new Uint8Array(50);
  ids.set(idOf(plain), 10);
  const location = locate(plain);
  deepEqual(reader.decode(location, stored(location), ids, 10).slice(), plain);
  deepEqual(reader.take(location, ids, 10)?.slice(), plain);
  reader.release();
});

Deno.test("ObjectReader keeps a few frames where the cache has no room", () => {
  const small = [text("one"), text("two")];
  const large = [new Uint8Array(3 << 20).fill(1), new Uint8Array(2 << 20)];
  const pack = makePack([small, [large[0]], [large[1]]]);
  const files = new TestFiles();
  files.addIndex([pack]);
  const index = files.open();
  const cache = new HeapFrameCache({ sizeMax: 0 });
  const reader = new ObjectReader({ cache, hasher: wasmHasher });
  const locationOf = (plain: Uint8Array) => index.locate(idOf(plain), 0, 1)!;
  const take = (plain: Uint8Array) =>
    reader.take(locationOf(plain), idOf(plain), 0);
  for (let round = 0; round < 2; round++) {
    for (const plain of [small[0], ...large]) {
      equal(take(plain), undefined);
      const location = locationOf(plain);
      const { frameOffset: start, storedSize } = location;
      const stored = pack.bytes.slice(start, start + storedSize);
      deepEqual(reader.decode(location, stored, idOf(plain), 0), plain);
      deepEqual(take(plain), plain);
      if (plain !== large[1]) deepEqual(take(small[1]), small[1]);
      reader.release();
    }
    // 5 MiB were too many: the oldest frames went.
    deepEqual(large.map((plain) => take(plain) !== undefined), [false, true]);
  }
  const wrong = idOf(text("other"));
  equal(reader.take(locationOf(large[1]), wrong, 0), undefined);
});

Deno.test("ObjectReader tells damage on disk from damage in memory", () => {
  const random = new Random(3);
  const plain = random.bytes(3000).fill(7, 1000, 2500);
  for (const codec of [noneCodec, lz4Codec, zstdCodec({ level: 1 })]) {
    const { locate, stored } = setUp([plain], codec);
    const location = locate(plain);
    equal(location.codecTag, codec.tag);
    for (const at of [0, 5, 200, location.storedSize - 1]) {
      const cache = new HeapFrameCache();
      const reader = new ObjectReader({ cache, hasher: wasmHasher });
      const bytes = stored(location);
      bytes[at] ^= 16;
      throws(
        () => reader.decode(location, bytes, idOf(plain), 0),
        (error) => error instanceof DamageError && error.reason === "disk",
      );
      reader.release();
      deepEqual(
        reader.decode(location, stored(location), idOf(plain), 0).slice(),
        plain,
      );
      reader.release();
    }
  }
  const { locate, stored } = setUp([plain]);
  const location = locate(plain);
  const cache = new HeapFrameCache();
  const reader = new ObjectReader({ cache, hasher: wasmHasher });
  const other = new Uint8Array(32).fill(1);
  throws(
    () => reader.decode(location, stored(location), other, 0),
    (error) => error instanceof DamageError && error.reason === "memory",
  );
  reader.release();
});

Deno.test("ObjectReader heals a cached frame that went bad", () => {
  const plains = [text("one"), text("two")];
  const { locate, stored } = setUp(plains);
  const cache = new HeapFrameCache();
  const reader = new ObjectReader({ cache, hasher: wasmHasher });
  const location = locate(plains[0]);
  const view = reader.decode(location, stored(location), idOf(plains[0]), 0);
  new Uint8Array(view.buffer).fill(0);
  reader.release();
  const second = locate(plains[1]);
  equal(reader.take(second, idOf(plains[1]), 0), undefined);
  reader.release();
  deepEqual(
    reader.decode(second, stored(second), idOf(plains[1]), 0).slice(),
    plains[1],
  );
  reader.release();
});

Deno.test("ObjectReader does not take content for a tree", () => {
  const plain = text("TRE1");
  const { locate, stored } = setUp([plain]);
  const cache = new HeapFrameCache();
  const reader = new ObjectReader({ cache, hasher: wasmHasher });
  const location = locate(plain);
  const bytes = stored(location);
  reader.decode(location, bytes, idOf(plain), 0);
  reader.release();
  const asTree = { ...location, kind: 3 };
  equal(reader.take(asTree, idOf(plain), 0), undefined);
  throws(() => reader.decode(asTree, bytes, idOf(plain), 0), DamageError);
  reader.release();
  const treeId = new Uint8Array(32);
  wasmHasher.deriveInto(TREE_CONTEXT, plain, treeId);
  deepEqual(reader.decode(asTree, bytes, treeId, 0).slice(), plain);
  reader.release();
});

Deno.test("ObjectReader believes no second id, place or size of bytes that it has checked", () => {
  const plain = text("hello");
  const { locate, stored } = setUp([plain, text(" world")]);
  const location = locate(plain);
  const bytes = stored(location);
  const id = idOf(plain);
  for (const cache of [new HeapFrameCache(), SharedFrameCache.create()]) {
    const reader = new ObjectReader({ cache, hasher: wasmHasher });
    reader.decode(location, bytes, id, 0);
    const last = id.slice();
    last[31] ^= 1;
    for (const other of [new Uint8Array(32), idOf(text("hell")), last]) {
      equal(reader.take(location, other, 0), undefined);
      throws(() => reader.decode(location, bytes, other, 0), DamageError);
    }
    for (const claim of [{ size: 4 }, { size: 6 }, { offset: 1 }]) {
      const lie = { ...location, ...claim };
      equal(reader.take(lie, id, 0), undefined);
      throws(() => reader.decode(lie, bytes, id, 0), DamageError);
    }
    reader.release();
  }
});

/** A cache that counts who holds what. */
class CountedCache implements FrameCache {
  pinCount = 0;
  readonly #cache: FrameCache;

  constructor(cache: FrameCache) {
    this.#cache = cache;
  }

  #count(slot: number): number {
    if (slot >= 0) this.pinCount++;
    return slot;
  }

  find(key: number, plainSize: number): number {
    return this.#count(this.#cache.find(key, plainSize));
  }

  pin(key: number, plainSize: number): number {
    return this.#count(this.#cache.pin(key, plainSize));
  }

  unpin(slot: number): void {
    this.pinCount--;
    this.#cache.unpin(slot);
  }

  isPlain = (slot: number) => this.#cache.isPlain(slot);
  bytes = (slot: number) => this.#cache.bytes(slot);
  publish = (slot: number) => this.#cache.publish(slot);
  fail = (slot: number) => this.#cache.fail(slot);
  isChecked: FrameCache["isChecked"] = (slot, object) =>
    this.#cache.isChecked(slot, object);
  setChecked: FrameCache["setChecked"] = (slot, object) =>
    this.#cache.setChecked(slot, object);
}

Deno.test("ObjectReader gives back every frame, whatever becomes of it", () => {
  const plain = text("hello");
  const other = new Uint8Array(32).fill(1);
  const { locate, stored } = setUp([plain, new Uint8Array(3000)], lz4Codec);
  const location = locate(plain);
  const id = idOf(plain);
  const good = stored(location);
  const bad = good.slice().fill(0xff);
  const smaller = { ...location, plainSize: 9 };
  for (const inner of [new HeapFrameCache(), SharedFrameCache.create()]) {
    const cache = new CountedCache(inner);
    const reader = new ObjectReader({ cache, hasher: wasmHasher });
    const steps: (() => void)[] = [
      () => equal(reader.take(location, id, 0), undefined),
      () => throws(() => reader.decode(location, bad, id, 0), DamageError),
      () => deepEqual(reader.decode(location, good, id, 0).slice(), plain),
      () => deepEqual(reader.take(location, id, 0)?.slice(), plain),
      () => equal(reader.take(location, other, 0), undefined),
      () => throws(() => reader.decode(location, good, other, 0), DamageError),
      () => equal(reader.take(smaller, id, 0), undefined),
      () => throws(() => reader.decode(smaller, good, id, 0), DamageError),
    ];
    for (const step of steps) {
      step();
      reader.release();
      equal(cache.pinCount, 0, `${step}`);
    }
    for (const step of steps.slice(2)) step();
    reader.release();
    equal(cache.pinCount, 0);
  }
});

Deno.test("ObjectReader leaves no place of a shared cache claimed after damage", () => {
  const plain = text("hello");
  const { locate, stored } = setUp([plain, new Uint8Array(3000)], lz4Codec);
  const location = locate(plain);
  const good = stored(location);
  const cache = SharedFrameCache.create();
  const reader = new ObjectReader({ cache, hasher: wasmHasher });
  const others = new SharedFrameCache(cache.buffer);
  // A longer run than there are places: none of them is lost.
  for (let round = 0; round < 40; round++) {
    const bad = good.slice().fill(0xff);
    throws(() => reader.decode(location, bad, idOf(plain), 0), DamageError);
    // Also before the release nobody waits for a frame that does not come.
    const slot = others.attach(location.frameKey, location.plainSize);
    ok(slot >= 0);
    equal(others.state(slot), FrameState.empty);
    others.unpin(slot);
    reader.release();
  }
  const view = reader.decode(location, good, idOf(plain), 0);
  deepEqual(view.slice(), plain);
  ok(others.find(location.frameKey, location.plainSize) >= 0);
  reader.release();
});

Deno.test("ObjectReader refuses a decompression bomb", () => {
  const plain = new Uint8Array(1 << 20);
  for (const codec of [lz4Codec, zstdCodec({ level: 1 })]) {
    const { locate, stored } = setUp([plain], codec);
    const location = locate(plain);
    const cache = new HeapFrameCache();
    const reader = new ObjectReader({ cache, hasher: wasmHasher });
    const small = { ...location, plainSize: 100, size: 100 };
    throws(
      () => reader.decode(small, stored(location), idOf(plain), 0),
      DamageError,
    );
    reader.release();
    equal(cache.size, 0);
  }
});

Deno.test("ObjectReader refuses stored bytes of another size", () => {
  const plain = text("one");
  const { locate } = setUp([plain]);
  const cache = new HeapFrameCache();
  const reader = new ObjectReader({ cache, hasher: wasmHasher });
  throws(
    () => reader.decode(locate(plain), new Uint8Array(2), idOf(plain), 0),
    RangeError,
  );
});

Deno.test("every flipped bit of a pack gives an error or the right bytes", () => {
  const random = new Random(5);
  const plains = Array.from(
    { length: 4 },
    () => random.bytes(40).fill(1, 5, 35),
  );
  for (const codec of [noneCodec, lz4Codec, zstdCodec({ level: 1 })]) {
    const { pack, locate } = setUp(plains, codec);
    const locations = plains.map(locate);
    for (let at = 72; at < pack.table.tableOffset; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bytes = pack.bytes.slice();
        bytes[at] ^= 1 << bit;
        const cache = new HeapFrameCache();
        const reader = new ObjectReader({ cache, hasher: wasmHasher });
        locations.forEach((location, i) => {
          const start = location.frameOffset;
          const stored = bytes.subarray(start, start + location.storedSize);
          try {
            const view = reader.decode(location, stored, idOf(plains[i]), 0);
            equal(view.toHex(), plains[i].toHex());
          } catch (error) {
            ok(error instanceof DamageError && error.reason === "disk");
          }
          reader.release();
        });
      }
    }
  }
});
