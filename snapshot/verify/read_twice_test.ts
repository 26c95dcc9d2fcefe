import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import type { ReadOptions, ReadStore } from "@snap/store";
import { noise, TestSnapshots } from "../../tests/_test_snapshots.ts";
import { openSnapshots } from "../snapshots.ts";
import { packsOfPart } from "./pack_part.ts";
import { verify } from "./verify.ts";

/** A store whose cable flips a bit in the first so many reads below a folder. */
function flakyStore(
  inner: ReadStore,
  folder: string,
  flipCount: number,
): ReadStore & { flips: number } {
  const store = {
    flips: 0,
    read: async (name: string, options?: ReadOptions) => {
      const bytes = await inner.read(name, options);
      const isPart = (options?.length ?? 0) > 4096 || bytes.length > 4096;
      if (!name.startsWith(folder) || !isPart) return bytes;
      if (store.flips === flipCount) return bytes;
      store.flips++;
      const flipped = bytes.slice();
      flipped[flipped.length >> 1] ^= 1;
      return flipped;
    },
    size: (name: string) => inner.size(name),
    list: (prefix: string) => inner.list(prefix),
  };
  return store;
}

for (const folder of ["packs/", "index/"]) {
  Deno.test(`verify reads ${folder} once more before it calls it damaged`, async () => {
    const test = new TestSnapshots();
    await test.save({ a: { file: noise(1, 50_000) } });
    await test.open();
    const run = async (flipCount: number) => {
      const store = flakyStore(test.store, folder, flipCount);
      const how = { hasher: wasmHasher };
      await using snapshots = await openSnapshots(store, how);
      const { damages } = await verify(snapshots, { data: true });
      return { damages, flips: store.flips };
    };
    deepStrictEqual(await run(0), { damages: [], flips: 0 });
    deepStrictEqual(await run(1), { damages: [], flips: 1 });
    const { damages, flips } = await run(Infinity);
    ok(damages.length > 0 && flips > 1);
  });
}

Deno.test("packsOfPart puts each pack into one part", () => {
  const ids = Array.from({ length: 100 }, (_, i) => ({ id: noise(i + 1, 32) }));
  for (const count of [1, 7, 31, 365]) {
    const parts = Array.from(
      { length: count },
      (_, i) => packsOfPart({ number: i + 1, count }),
    );
    for (const pack of ids) {
      strictEqual(parts.filter((has) => has(pack)).length, 1);
    }
  }
  // The number that the digits of the id are, highest first, modulo the count.
  const id = new Uint8Array(32);
  id[30] = 1;
  strictEqual(packsOfPart({ number: 256 % 31 + 1, count: 31 })({ id }), true);
  for (const part of [[0, 3], [4, 3], [1.5, 3], [1, 0], [1, 2 ** 30]]) {
    const [number, count] = part;
    throws(() => packsOfPart({ number, count }), RangeError);
  }
});
