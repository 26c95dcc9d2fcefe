// A cache whose files are damaged in any way: whoever reads through it gets the
// bytes of the store, is told of nothing, and leaves a sound cache behind.
import { ok, strictEqual } from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { save } from "@snap/save";
import { openSnapshots } from "@snap/snapshot";
import { openCacheStore } from "@snap/store/cache";
import type { MemoryStore } from "@snap/store/memory";
import { MeterStore } from "@snap/store/wrap";
import { type Prng, seededTest } from "./_prng.ts";
import {
  makeMemorySnapshots,
  noise,
  readDisk,
  readSnapshot,
  sameEntries,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "./_snapshots.ts";

/** Where the bytes of a store's file begin in one of the cache. */
const DATA_START = 65 * 4096;

/** What two saves have left in a store, and the directory. */
async function makeStore(
  folder: TemporaryFolder,
): Promise<{ store: MemoryStore; source: string }> {
  const source = folder.join("source");
  mkdirSync(`${source}/d/e`, { recursive: true });
  writeFileSync(`${source}/large`, noise(300_000, 1));
  const snapshots = await makeMemorySnapshots(SMALL_SETTINGS);
  await save(snapshots, source);
  for (let i = 0; i < 30; i++) writeFileSync(`${source}/d/${i}`, `file ${i}`);
  writeFileSync(`${source}/d/e/x`, noise(50_000, 2));
  await save(snapshots, source);
  return { store: snapshots.store, source };
}

/** Reads all of the newest snapshot as a new program would; says how many requests that took. */
async function readAll(
  store: MemoryStore,
  folder: TemporaryFolder,
): Promise<{ entries: ReturnType<typeof readDisk>; reads: number }> {
  const far = new MeterStore(store);
  await using cache = openCacheStore(far, {
    location: "memory:",
    folder: folder.join("caches"),
  });
  const fail = (_: unknown, error: unknown): never => {
    throw error;
  };
  await using snapshots = await openSnapshots(cache, {
    hasher: wasmHasher,
    onDamage: fail,
    onMend: fail,
    onUnnamed: () => fail(0, new Error("Packs had to be looked for")),
  });
  const [record] = await snapshots.records();
  const entries = await readSnapshot(snapshots, record);
  return { entries, reads: far.meter.byAction.get("read") ?? 0 };
}

/** The files of all caches. */
function cachedFiles(folder: TemporaryFolder): string[] {
  const root = folder.join("caches");
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`);
}

/** Changes a byte of what is there. */
function flip(path: string, random: Prng): void {
  const bytes = readFileSync(path);
  const isData = random.below(8) > 0;
  const at = isData
    ? DATA_START + random.below(bytes.length - DATA_START)
    : random.below(64);
  bytes[at] ^= 1 << random.below(8);
  writeFileSync(path, bytes);
}

seededTest(
  "a cache of which every file is damaged is read like a sound one, and heals",
  async (random) => {
    using folder = new TemporaryFolder();
    const { store, source } = await makeStore(folder);
    const first = await readAll(store, folder);
    sameEntries(first.entries, readDisk(source));
    const files = cachedFiles(folder);
    ok(files.length >= 4, files.join());
    const warm = await readAll(store, folder);
    ok(warm.reads < first.reads / 2, `${warm.reads} of ${first.reads}`);
    for (let round = 0; round < 5; round++) {
      for (const path of cachedFiles(folder)) flip(path, random);
      sameEntries((await readAll(store, folder)).entries, first.entries);
      await readAll(store, folder); // What was dropped is read again.
      const healed = await readAll(store, folder);
      sameEntries(healed.entries, first.entries);
      strictEqual(healed.reads, warm.reads);
    }
  },
  { roundCount: 4 },
);
