import { deepEqual, equal, ok } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { MemoryStore } from "@snap/store/memory";
import {
  idOf,
  INDEX_OPTIONS,
  type MadePack,
  makePack,
  randomPacks,
} from "../_testing.ts";
import { packName } from "../file_name.ts";
import { buildIndex, mergeIndex } from "../index_writer/index_builder.ts";
import { openIndex, type OpenIndexOptions } from "./open_index.ts";
import { listPacks, PackSet } from "./pack_set.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const hasher = wasmHasher;

/** Opens the index of packs from afar, and tells how much is read by each request. */
async function openFar(packs: readonly MadePack[]) {
  const memory = new MemoryStore();
  const [{ name, bytes }] = buildIndex(packs, INDEX_OPTIONS);
  await memory.create(name, bytes);
  const reads: (number | undefined)[] = [];
  const index = await openIndex({
    read: (file, options) => {
      reads.push(options?.length);
      return memory.read(file, options);
    },
    size: (file) => memory.size(file),
    list: (prefix) => memory.list(prefix),
  }, { hasher });
  return { index, reads, size: bytes.length };
}

Deno.test("openIndex reads the head of a large table, and a page for a look-up", async () => {
  const packs = randomPacks(3, { count: 1_000 });
  const { index, reads, size } = await openFar(packs);
  ok(size > 2 ** 20, `${size}`);
  deepEqual(reads, [65_536]);
  const { table } = packs[0];
  ok(await index.locate(table.idBytes(0), 1));
  deepEqual(reads, [65_536, 4096, 4096, 4096]);
  ok(await index.locate(table.idBytes(0), 1));
  equal(reads.length, 4);
});

Deno.test("openIndex reads a small table at once, and nothing for a look-up", async () => {
  const packs = randomPacks(3, { count: 150 });
  const { index, reads, size } = await openFar(packs);
  ok(await index.locate(packs[0].table.idBytes(0), 1));
  const found = await Array.fromAsync(index.packs());
  equal(found.flat().length, packs.length);
  deepEqual(reads, [size]);
});

Deno.test("openIndex does not read what another table replaces", async () => {
  const store = new MemoryStore();
  const packs = Array.from(
    { length: 40 },
    (_, i) => makePack([[text(`${i}`)]]),
  );
  const small = packs.map((pack) => buildIndex([pack], INDEX_OPTIONS)[0]);
  const merged = replacing(
    [...randomPacks(3, { count: 150 }), ...packs],
    small.map(({ name }) => name),
  );
  for (const { name, bytes } of [...small, merged]) {
    await store.create(name, bytes);
  }
  const opened = async (options: Partial<OpenIndexOptions>) => {
    const { index } = await openIndex(store, { hasher, ...options });
    return [index.tables.length, index.liveTables.length];
  };
  // A store without files is asked for 16 heads at once, that of the largest table among them.
  deepEqual(await opened({}), [16, 1]);
  deepEqual(await opened({ withReplaced: true }), [41, 1]);
  deepEqual(await opened({ without: new Set([merged.name]) }), [40, 40]);
  await store.remove(merged.name);
  await store.create(merged.name, merged.bytes.slice().fill(7, 72, 80));
  deepEqual(await opened({ onDamage: () => {} }), [40, 40]);
});

Deno.test("openIndex leaves out what is damaged, and says so", async () => {
  const store = new MemoryStore();
  const [one, two] = [makePack([[text("a")]]), makePack([[text("b")]])]
    .map((pack) => buildIndex([pack], INDEX_OPTIONS)[0]);
  await store.create(one.name, one.bytes);
  await store.create(two.name, two.bytes.slice().fill(7, 72, 80));
  await store.create("index/junk", new Uint8Array(9));
  equal((await openIndex(store, { hasher })).damaged.length, 1);
  const damaged: string[] = [];
  const onDamage = (name: string): void => void damaged.push(name);
  const index = await openIndex(store, { hasher, onDamage });
  deepEqual(damaged, [two.name]);
  deepEqual(index.damaged, [two.name]);
  ok(await index.locate(idOf(text("a")), 1));
  equal((await index.locateAll(idOf(text("b")), 1)).length, 0);
});

Deno.test("an index of a store that lost a pack does not count on it", async () => {
  const store = new MemoryStore();
  const packs = [makePack([[text("a")]]), makePack([[text("b")]])];
  for (const { id, bytes } of packs) await store.create(packName(id), bytes);
  const [{ name, bytes }] = buildIndex(packs, INDEX_OPTIONS);
  await store.create(name, bytes);
  const index = await openIndex(store, { hasher });
  await store.remove(packName(packs[0].id));
  const present = await listPacks(store);
  equal(present.count, 1);
  equal(present.sizeOf(packs[1].id, 0), packs[1].size);
  equal(present.sizeOf(packs[0].id, 0), -1);
  index.index.setPresentPacks(present);
  equal(await index.locate(idOf(text("a")), 1), undefined);
  ok(await index.locate(idOf(text("b")), 1));
});

Deno.test("PackSet finds every pack of many", () => {
  const packs = randomPacks(3, { count: 200 });
  const set = new PackSet(PackSet.from(packs).bytes.slice());
  equal(set.count, 200);
  for (const { id, size } of packs) equal(set.sizeOf(id, 0), size);
  equal(set.sizeOf(new Uint8Array(32), 0), -1);
  equal(new PackSet().sizeOf(new Uint8Array(32), 0), -1);
});

/** A table of packs that says that it replaces others. */
function replacing(
  packs: readonly MadePack[],
  replaced: readonly string[],
): { name: string; bytes: Uint8Array } {
  const pieces: Uint8Array[] = [];
  const write = (bytes: Uint8Array): void => void pieces.push(bytes.slice());
  const sink = { write, end: () => {} };
  const steps = mergeIndex({ packs, replaced }, sink, INDEX_OPTIONS);
  const { done, value } = steps.next();
  ok(done);
  const bytes = new Uint8Array(value[0].size);
  pieces.reduce((at, piece) => (bytes.set(piece, at), at + piece.length), 0);
  return { name: value[0].name, bytes };
}

Deno.test("openIndex opens many tables in order, and tells which ones count", async () => {
  const store = new MemoryStore();
  const packs = Array.from(
    { length: 40 },
    (_, i) => makePack([[text(`${i}`)]]),
  );
  const tables = packs.map((pack) => buildIndex([pack], INDEX_OPTIONS)[0]);
  const names = tables.map(({ name }) => name);
  const last = replacing(packs.slice(0, 30), names.slice(0, 30));
  for (const { name, bytes } of [...tables, last]) {
    await store.create(name, bytes);
  }
  const index = await openIndex(store, { hasher, withReplaced: true });
  deepEqual(
    index.storedTables.map(({ name }) => name),
    [...names, last.name].sort(),
  );
  deepEqual(
    index.index.liveTables.map(({ name }) => name),
    [...names.slice(30), last.name].sort(),
  );
});
