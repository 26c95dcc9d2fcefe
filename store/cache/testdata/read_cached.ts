// Reads ranges of packs through a cache that other programs use at the same time:
// read_cached.ts STORE CACHES SEED. With the seed `make` it makes the store.
import { deepStrictEqual } from "node:assert/strict";
import process from "node:process";
import { Prng } from "../../../tests/_prng.ts";
import { openFileStore } from "../../file/mod.ts";
import { initStore } from "../../format/mod.ts";
import { openCacheStore } from "../mod.ts";

const SIZE = 500_000;
const [path, folder, seed] = process.argv.slice(2);
const bytes = Uint8Array.from({ length: SIZE }, (_, i) => (i * 7) ^ (i >> 8));

if (seed === "make") {
  const store = await openFileStore(path, { create: true });
  await initStore(store);
  for (let i = 0; i < 4; i++) await store.create(`packs/ab/${i}`, bytes);
} else {
  const store = await openFileStore(path);
  const random = new Prng(Number(seed));
  for (let round = 0; round < 10; round++) {
    await using cache = openCacheStore(store, { location: "far", folder });
    for (let i = 0; i < 30; i++) {
      const name = `packs/ab/${random.below(4)}`;
      const offset = random.below(SIZE);
      const length = random.below(SIZE - offset);
      const isFresh = random.below(30) === 0;
      deepStrictEqual(
        await cache.read(name, { offset, length, isFresh }),
        bytes.subarray(offset, offset + length),
      );
    }
  }
  console.log("right");
}
