import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { MemoryStore } from "@snap/store/memory";
import { type ReadStore, StoreError } from "@snap/store";
import { INDEX_OPTIONS, type MadePack, randomPacks } from "../_testing.ts";
import { packName } from "../file_name.ts";
import { buildIndex } from "./index_builder.ts";
import type { IndexPack } from "./index_run.ts";
import { type DamagedPack, readPacks } from "./read_packs.ts";

const options = { hasher: wasmHasher };

async function storeOf(packs: readonly MadePack[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const { id, bytes } of packs) await store.create(packName(id), bytes);
  return store;
}

/** Reads all packs of a store. */
async function readAll(
  store: ReadStore,
): Promise<{ packs: IndexPack[]; damaged: DamagedPack[] }> {
  const entries = (await Array.fromAsync(store.list("packs/"))).flat();
  entries.sort((a, b) => a.name < b.name ? -1 : 1);
  const packs: IndexPack[] = [], damaged: DamagedPack[] = [];
  for await (const read of readPacks(store, entries, options)) {
    packs.push(...read.packs);
    damaged.push(...read.damaged);
  }
  return { packs, damaged };
}

Deno.test("an index that is rebuilt is the one that was written", async () => {
  const packs = randomPacks(7, { count: 20, shared: 30 });
  const [written] = buildIndex(packs, INDEX_OPTIONS);
  const rebuilt = await readAll(await storeOf(packs));
  equal(rebuilt.damaged.length, 0);
  const [table] = buildIndex(rebuilt.packs, INDEX_OPTIONS);
  deepEqual(table.id, written.id);
});

Deno.test("readPacks reports damaged packs and goes on", async () => {
  const packs = randomPacks(7, { count: 6 });
  const damage: ((bytes: Uint8Array) => Uint8Array)[] = [
    (bytes) => bytes.subarray(0, bytes.length - 1),
    (bytes) => bytes.subarray(0, 10),
    (bytes) => bytes.fill(0, bytes.length - 90, bytes.length - 70),
    (bytes) => bytes.fill(0xff, bytes.length - 64, bytes.length - 56),
    (bytes) => bytes.fill(0, bytes.length - 4),
  ];
  const store = await storeOf(packs.slice(5));
  for (let i = 0; i < 5; i++) {
    const bytes = damage[i](packs[i].bytes.slice());
    await store.create(packName(packs[i].id), bytes);
  }
  await store.create("packs/ab/junk", new Uint8Array(500));
  const rebuilt = await readAll(store);
  equal(rebuilt.packs.length, 1);
  deepEqual(rebuilt.packs[0].id, packs[5].id);
  deepEqual(
    rebuilt.damaged.map(({ name }) => name).sort(),
    [...packs.slice(0, 5).map(({ id }) => packName(id)), "packs/ab/junk"]
      .sort(),
  );
  ok(rebuilt.damaged.every(({ error }) => error instanceof SyntaxError));
});

Deno.test("readPacks does not take a failing store for damage", async () => {
  const memory = await storeOf(randomPacks(7, { count: 3 }));
  const store: ReadStore = {
    read: () =>
      Promise.reject(
        new StoreError("Cannot read", { code: "EACCES", action: "read" }),
      ),
    size: (name) => memory.size(name),
    list: (prefix) => memory.list(prefix),
  };
  await rejects(readAll(store), StoreError);
});
