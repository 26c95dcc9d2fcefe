// Reads that do not need each other's answers are under way together: a command
// on a store far away takes the time of its longest chain of reads and not of
// their sum.
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { DamagedEntryError, restore } from "@snap/restore";
import { save } from "@snap/save";
import { verify } from "@snap/snapshot/verify";
import { openSnapshots, type Snapshots } from "@snap/snapshot";
import { tagSnapshot } from "@snap/snapshot/records";
import { formatSettings } from "@snap/snapshot";
import { NotFoundError, StoreError } from "@snap/store";
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
/** Small files of more than 8 MiB, so that workers write them. */
const SMALL_COUNT = 2000;
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

/** Saves many small files, and opens the store anew from afar. */
async function manySmall(
  folder: TemporaryFolder,
): Promise<{ far: FarStore; snapshots: Snapshots<FarStore>; source: string }> {
  const source = folder.join("source");
  for (let i = 0; i < SMALL_COUNT; i++) {
    if (i % 100 === 0) mkdirSync(`${source}/d${i}`, { recursive: true });
    writeFileSync(`${source}/d${i - i % 100}/${i}`, noise(5000 + i, i));
  }
  const store = new MemoryStore();
  await initStore(store, {});
  const near = await openSnapshots(store, { hasher: wasmHasher });
  await save(near, source);
  await near[Symbol.asyncDispose]();
  const far = new FarStore(store);
  return {
    far,
    snapshots: await openSnapshots(far, { hasher: wasmHasher }),
    source,
  };
}

Deno.test("far store: workers restore small files by few large reads, side by side", async () => {
  using folder = new TemporaryFolder();
  const { far, snapshots, source } = await manySmall(folder);
  await using _ = snapshots;
  const [record] = await snapshots.records();
  far.reset();
  const target = folder.join("target");
  const result = await restore(snapshots, record, target, { workers: 2 });
  deepStrictEqual(result.errors, []);
  sameEntries(readDisk(target), readDisk(source));
  const { byteCount } = result;
  ok(far.readCount <= byteCount / 2 ** 20 + 15, `${far.readCount} reads`);
  ok(far.readByteCount <= 1.2 * byteCount, `${far.readByteCount} bytes`);
  ok(far.waveCount <= WAVES_MAX / 2, `${far.waveCount} waves`);
});

Deno.test("far store: a restore is aborted while workers wait for what never comes", async () => {
  using folder = new TemporaryFolder();
  const { far, snapshots } = await manySmall(folder);
  await using _ = snapshots;
  const [record] = await snapshots.records();
  const stop = new AbortController();
  const read = far.read.bind(far);
  let asked = 0;
  far.read = (name, options) => {
    const { length = 0, signal } = options ?? {};
    if (!name.startsWith("packs/") || length < 2 ** 20) {
      return read(name, options);
    }
    if (++asked === 2) setTimeout(() => stop.abort(new Error("enough")));
    return new Promise((_, reject) =>
      signal!.addEventListener("abort", () => reject(signal!.reason))
    );
  };
  const target = folder.join("target");
  const { signal } = stop;
  await rejects(restore(snapshots, record, target, { workers: 2, signal }), {
    message: "enough",
  });
  ok(asked >= 2);
  const left = readdirSync(target, { recursive: true, withFileTypes: true });
  deepStrictEqual(left.filter((entry) => entry.isFile()), []);
});

Deno.test("far store: a pack that is gone costs a restore its files, and nothing else", async () => {
  using folder = new TemporaryFolder();
  const { far, snapshots } = await manySmall(folder);
  await using _ = snapshots;
  const [record] = await snapshots.records();
  const read = far.read.bind(far);
  let lost: string | undefined;
  far.read = (name, options) => {
    const { length = 0 } = options ?? {};
    if (name.startsWith("packs/") && length >= 2 ** 20) lost ??= name;
    return name === lost
      ? Promise.reject(new NotFoundError(name))
      : read(name, options);
  };
  const target = folder.join("target");
  const result = await restore(snapshots, record, target, { workers: 2 });
  ok(result.errors.length > 0 && result.errors.length <= SMALL_COUNT);
  ok(result.errors.every((error) => error instanceof DamagedEntryError));
  deepStrictEqual(
    result.fileCount + result.errors.length,
    SMALL_COUNT,
  );
});

Deno.test("far store: a store that fails ends a restore with its error", async () => {
  using folder = new TemporaryFolder();
  const { far, snapshots } = await manySmall(folder);
  await using _ = snapshots;
  const [record] = await snapshots.records();
  const read = far.read.bind(far);
  let isAway = false;
  far.read = (name, options) => {
    const { length = 0 } = options ?? {};
    isAway ||= name.startsWith("packs/") && length >= 2 ** 20;
    if (!isAway) return read(name, options);
    const fields = { code: "ECONNREFUSED", action: "read" } as const;
    return Promise.reject(
      new StoreError("Cannot read: nobody is there", fields),
    );
  };
  const target = folder.join("target");
  await rejects(restore(snapshots, record, target, { workers: 2 }), {
    message: "Cannot read: nobody is there",
  });
});

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

// Config (two); the lease; records, tags, tables, removal; packs; the last entries of
// the tag (two); the record and removal once more; the end of the lease.
Deno.test("far store: a save of what was saved makes 13 requests where a cache has the rest, 6 of them one after the other", async () => {
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
    const { isNewRecord, record, saveId } = await save(opened, source, LATER);
    strictEqual(isNewRecord, isNew);
    if (isNew) await tagSnapshot(opened, "main", record!, { saveId });
  };
  // Fill the cache, and make the files old.
  for (const name of ["a", "b", "c"]) {
    writeFileSync(`${source}/${name}`, name);
    await again(true);
  }
  far.quietTurns = 300; // A cache asks the disk.
  for (let run = 0; run < 4; run++) {
    await again(false);
    if (far.callCount === 13) break; // The cache has the rest.
  }
  deepStrictEqual([far.callCount, far.waveCount], [13, 6]);
});

// As many but for the tag, and the table, the record, and frames of trees.
Deno.test("far store: a save of what was saved makes 15 requests without a cache, 7 of them one after the other", async () => {
  using folder = new TemporaryFolder();
  const { far, snapshots, source } = await manySmall(folder);
  await snapshots[Symbol.asyncDispose]();
  const again = async (isNew: boolean): Promise<void> => {
    far.reset();
    await using opened = await openSnapshots(far, { hasher: wasmHasher });
    const { isNewRecord } = await save(opened, source, LATER);
    strictEqual(isNewRecord, isNew);
  };
  await again(true); // Makes the files old.
  await again(false);
  ok(far.callCount <= 15, `${far.callCount} requests`);
  ok(far.waveCount <= 7, `${far.waveCount} waves`);
});
