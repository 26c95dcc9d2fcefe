// Reads that do not need each other's answers are under way together: a command
// on a store far away takes the time of its longest chain of reads and not of
// their sum.
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { restore } from "@snap/restore";
import { save } from "@snap/save";
import { verify } from "@snap/snapshot/verify";
import { openSnapshots, type Snapshots } from "@snap/snapshot";
import { formatSettings } from "@snap/snapshot";
import { MemoryStore } from "@snap/store/memory";
import { initStore } from "@snap/store/format";
import { openCacheStore } from "@snap/store/cache";
import { FarStore } from "./_far_store.ts";
import { LATER } from "./_saves.ts";
import {
  noise,
  readDisk,
  sameEntries,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "./_snapshots.ts";

const LARGE_COUNT = 200;
const DIRECTORY_COUNT = 100;
/** Round trips of the longest chain: lists, heads, record, trees by level, and what files need. */
const WAVES_MAX = 60;

/** Saves a tree of large files, and one of many directories, then opens the store anew from afar. */
async function farSnapshots(
  folder: TemporaryFolder,
): Promise<{ far: FarStore; snapshots: Snapshots<FarStore>; source: string }> {
  const source = folder.join("source");
  mkdirSync(source);
  for (let i = 0; i < LARGE_COUNT; i++) {
    writeFileSync(`${source}/large${i}`, noise(100_000 + i, i));
  }
  for (let i = 0; i < DIRECTORY_COUNT; i++) {
    mkdirSync(`${source}/d${i}/below`, { recursive: true });
    writeFileSync(`${source}/d${i}/small`, `small ${i}`);
    writeFileSync(`${source}/d${i}/below/small`, `below ${i}`);
  }
  const store = new MemoryStore();
  await initStore(store, formatSettings(SMALL_SETTINGS));
  const near = await openSnapshots(store, { hasher: wasmHasher });
  await save(near, source);
  await near[Symbol.asyncDispose]();
  const far = new FarStore(store);
  const snapshots = await openSnapshots(far, { hasher: wasmHasher });
  return { far, snapshots, source };
}

for (const workers of [0, 2]) {
  Deno.test(`far store: a restore takes its longest chain of reads, ${workers} workers`, async () => {
    using folder = new TemporaryFolder();
    const { far, snapshots, source } = await farSnapshots(folder);
    await using _ = snapshots;
    const [record] = await snapshots.records();
    far.reset();
    const target = folder.join("target");
    const result = await restore(snapshots, record, target, { workers });
    deepStrictEqual(result.errors, []);
    sameEntries(readDisk(target), readDisk(source));
    ok(far.waveCount <= WAVES_MAX, `${far.waveCount} waves`);
  });
}

Deno.test("far store: verify takes its longest chain of reads", async () => {
  using folder = new TemporaryFolder();
  const { far, snapshots } = await farSnapshots(folder);
  await using _ = snapshots;
  far.reset();
  const report = await verify(snapshots, { data: true });
  deepStrictEqual(report.damages, []);
  ok(far.waveCount <= WAVES_MAX, `${far.waveCount} waves`);
});

Deno.test("far store: a save of what was saved takes its longest chain of reads", async () => {
  using folder = new TemporaryFolder();
  const { far, snapshots, source } = await farSnapshots(folder);
  await using _ = snapshots;
  far.reset();
  const { errors } = await save(snapshots, source);
  deepStrictEqual(errors, []);
  ok(far.waveCount <= WAVES_MAX, `${far.waveCount} waves`);
});

// Config, tables, packs, records with tags, marks of saves that do not count, packs once more.
Deno.test("far store: a save of what was saved makes 8 requests where a cache has the rest, 6 of them one after the other", async () => {
  using folder = new TemporaryFolder();
  const { far, snapshots, source } = await farSnapshots(folder);
  await snapshots[Symbol.asyncDispose]();
  const again = async (isNew: boolean): Promise<void> => {
    await using cache = openCacheStore(far, {
      location: "memory:",
      folder: folder.join("cache"),
    });
    far.reset();
    await using opened = await openSnapshots(cache, { hasher: wasmHasher });
    const { isNewRecord } = await save(opened, source, LATER);
    strictEqual(isNewRecord, isNew);
  };
  await again(true); // Fills the cache, and makes the files old.
  await again(false);
  deepStrictEqual([far.callCount, far.waveCount], [8, 6]);
});
