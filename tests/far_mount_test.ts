// What a mount of a store far away costs: requests, and those that wait for others.
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { mount } from "@snap/fuse";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { save } from "@snap/save";
import { openSnapshots } from "@snap/snapshot";
import { openCacheStore } from "@snap/store/cache";
import { FarStore } from "./_far_store.ts";
import { mountTest } from "./_mount.ts";
import { makeMemorySnapshots, noise, TemporaryFolder } from "./_snapshots.ts";

/** Round trips until the root of a mount can be listed: config, lists, record and index, root. */
const FIRST_WAVES_MAX = 4;
/** The same when all but what may change is on this machine: config, lists, marks. */
const NEXT_WAVES_MAX = 3;

/** A store far away that has some snapshots of a directory with files and folders. */
async function makeFar(folder: TemporaryFolder): Promise<FarStore> {
  const source = folder.join("source");
  mkdirSync(source);
  const snapshots = await makeMemorySnapshots();
  for (let i = 0; i < 5; i++) {
    mkdirSync(`${source}/d${i}`);
    writeFileSync(`${source}/d${i}/small`, `small ${i}`);
    writeFileSync(`${source}/large${i}`, noise(300_000, i));
    await save(snapshots, source);
  }
  return new FarStore(snapshots.store);
}

/** Opens the store, mounts its newest snapshot and lists the root; gives the names. */
async function listFirst(
  far: FarStore,
  folder: TemporaryFolder,
): Promise<string[]> {
  far.reset();
  const mountpoint = folder.join("mount");
  mkdirSync(mountpoint, { recursive: true });
  const location = "memory:";
  const caches = folder.join("caches");
  await using cache = openCacheStore(far, { location, folder: caches });
  await using snapshots = await openSnapshots(cache, { hasher: wasmHasher });
  const finding = snapshots.records().then(([newest]) => newest);
  await using _ = await mount(cache, finding, {
    mountpoint,
    hasher: wasmHasher,
  });
  const { readCount } = far;
  const { success, stdout } = await new Deno.Command("ls", {
    args: ["-l", mountpoint],
  }).output();
  ok(success);
  strictEqual(far.readCount, readCount, "ls needs what the mount has not read");
  const lines = new TextDecoder().decode(stdout).trim().split("\n").slice(1);
  return lines.map((line) => line.split(" ").at(-1)!);
}

mountTest(
  "a mount of a store far away can be listed after 4 round trips, the next one after 3",
  async () => {
    using folder = new TemporaryFolder();
    const far = await makeFar(folder);
    const names = await listFirst(far, folder);
    strictEqual(names.length, 10);
    ok(far.waveCount <= FIRST_WAVES_MAX, `${far.waveCount} waves`);
    deepStrictEqual(await listFirst(far, folder), names);
    ok(far.waveCount <= NEXT_WAVES_MAX, `${far.waveCount} waves`);
  },
);

mountTest(
  "a read at a random place of a mount of a store far away costs one request, a whole file few",
  async () => {
    using folder = new TemporaryFolder();
    const source = folder.join("source");
    mkdirSync(source);
    const size = 48 << 20;
    writeFileSync(`${source}/large`, noise(size, 1));
    const near = await makeMemorySnapshots();
    const { record } = await save(near, source);
    const far = new FarStore(near.store);
    const mountpoint = folder.join("mount");
    mkdirSync(mountpoint);
    await using _ = await mount(far, record, {
      mountpoint,
      hasher: wasmHasher,
    });
    const path = `${mountpoint}/large`;
    const places = Array.from({ length: 12 }, (_, i) => (i * 5) % 12 * 4 + 1);
    const read = async (place: number): Promise<number> => {
      far.reset();
      const { success, stdout } = await new Deno.Command("dd", {
        args: [
          `if=${path}`,
          ...["bs=4096", "count=1", "iflag=direct", "status=none"],
          `skip=${place * 256}`,
        ],
      }).output();
      ok(success);
      deepStrictEqual(stdout, noiseAt(place << 20));
      return far.callCount;
    };
    const bytes = noise(size, 1);
    const noiseAt = (at: number) => bytes.slice(at, at + 4096);
    await read(0); // The recipe, and the index.
    let requests = 0;
    for (const place of places) requests += await read(place);
    // The first of a pack may need a page of the index.
    ok(requests <= places.length + 2, `${requests} for ${places.length}`);
    far.reset();
    ok(
      (await new Deno.Command("cmp", { args: [path, `${source}/large`] })
        .output()).success,
    );
    ok(far.callCount <= size >> 19, `${far.callCount} requests`);
  },
);

/** The files of all caches that hold parts of packs. */
function keptPacks(caches: string): string[] {
  return readdirSync(caches, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile() && one.parentPath.includes("/packs/"))
    .map(({ parentPath, name }) => `${parentPath}/${name}`);
}

mountTest(
  "a cache that is damaged, cut and removed under a mount costs no reader anything",
  async () => {
    using folder = new TemporaryFolder();
    const source = folder.join("source"), mountpoint = folder.join("mount");
    mkdirSync(source);
    mkdirSync(mountpoint);
    // More than the mount has memory for.
    writeFileSync(`${source}/large`, noise(64 << 20, 1));
    const near = await makeMemorySnapshots();
    const { record } = await save(near, source);
    const far = new FarStore(near.store);
    const caches = folder.join("caches");
    await using cache = openCacheStore(far, {
      location: "memory:",
      folder: caches,
    });
    const faults: string[] = [];
    await using _ = await mount(cache, record, {
      mountpoint,
      hasher: wasmHasher,
      cacheSize: 1 << 20,
      onLog: ({ message }) => faults.push(message),
    });
    const compare = async (): Promise<void> => {
      const { success, stdout } = await new Deno.Command("bash", {
        args: [
          "-c",
          `dd if="${mountpoint}/large" bs=1M iflag=direct status=none | cmp - "${source}/large"`,
        ],
      }).output();
      ok(success, new TextDecoder().decode(stdout));
      await cache[Symbol.asyncDispose](); // What was read is kept.
    };
    await compare();
    for (const path of keptPacks(caches)) {
      const bytes = readFileSync(path);
      for (let at = 300_000; at < bytes.length; at += 2_000_000) bytes[at] ^= 1;
      writeFileSync(path, bytes);
    }
    await compare();
    ok(cache.figures.dropped > 0);
    for (const path of keptPacks(caches)) truncateSync(path, 5_000_000);
    await compare();
    rmSync(caches, { recursive: true });
    await compare();
    ok(keptPacks(caches).length > 0);
    const reading = compare();
    rmSync(caches, { recursive: true });
    await reading;
    deepStrictEqual(faults, []);
  },
);
