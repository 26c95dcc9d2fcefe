import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { TREE_CONTEXT, wasmHasher } from "@snap/hash";
import { idOf, makePack, Random, TestFiles } from "./_testing.ts";
import { DamageError } from "./errors.ts";
import { HeapFrameCache } from "./heap_frame_cache.ts";
import { lz4Codec } from "./lz4_codec.ts";
import type { Location } from "./location.ts";
import { ObjectReader } from "./object_reader.ts";
import { zstdCodec } from "./zstd_codec.ts";
import { noneCodec } from "./none_codec.ts";
import type { Hasher } from "@snap/hash/hasher";

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
