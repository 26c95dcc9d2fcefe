import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededTest } from "../../tests/_prng.ts";
import { NotFoundError } from "../errors.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import type { ReadOptions } from "../store.ts";
import { canMount, mountTmpfs, unmount } from "../../tests/_tmpfs.ts";
import { testStore } from "../testing/test_store.ts";
import { MeterStore } from "../wrap/meter.ts";
import {
  cacheFolder,
  type CacheStore,
  type CacheStoreOptions,
  openCacheStore,
} from "./mod.ts";

const PACK = "packs/ab/one";
const RECORD = "snapshots/aa-bb-cc";
const LOCATION = "https://host/snaps";

/** Bytes that differ from place to place. */
function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 255);
}

/** A store far away that counts, and folders for caches of it. */
class Scene implements Disposable {
  readonly root: string = mkdtempSync(join(tmpdir(), "snap-cache-test-"));
  readonly far: MemoryStore = new MemoryStore();
  /** Ranges that were read from the store. */
  readonly asked: string[] = [];

  /** A cache as a new program would open it. */
  cache(options: Partial<CacheStoreOptions> = {}): CacheStore {
    const asked = this.asked;
    const store = new (class extends MeterStore {
      override read(
        name: string,
        options: ReadOptions = {},
      ): Promise<Uint8Array> {
        const { offset = 0, length = "" } = options;
        asked.push(`${name} ${offset}+${length}`);
        return super.read(name, options);
      }
    })(this.far);
    return openCacheStore(store, {
      location: LOCATION,
      folder: this.root,
      ...options,
    });
  }

  /** Reads as a program of its own does. */
  async read(
    name: string,
    options?: ReadOptions,
    how?: Partial<CacheStoreOptions>,
  ): Promise<Uint8Array> {
    await using cache = this.cache(how);
    return await cache.read(name, options);
  }

  /** The file of the cache that has a name. */
  fileOf(name: string): string {
    return join(this.cache().folder, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

testStore("CacheStore", () => {
  const scene = new Scene();
  const store = scene.cache();
  return Promise.resolve({
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      scene[Symbol.dispose]();
    },
  });
});

Deno.test("a cache asks for what it lacks, and for nothing twice", async () => {
  using scene = new Scene();
  const bytes = pattern(200_000);
  await scene.far.create(PACK, bytes);
  const steps: [offset: number, length: number, asked: string[]][] = [
    [100_000, 1000, [`${PACK} 98304+2696`]],
    [100_000, 1000, []],
    [98_304, 2696, []],
    [100_900, 10_000, [`${PACK} 101000+9900`]],
    [0, 200, [`${PACK} 0+200`]],
    [100, 150_000, [`${PACK} 200+149900`]],
    [199_000, 1000, [`${PACK} 196608+3392`]],
    [149_000, 51_000, [`${PACK} 150100+46508`]],
    [0, 200_000, []],
  ];
  for (const [offset, length, asked] of steps) {
    const read = await scene.read(PACK, { offset, length });
    deepStrictEqual(read, bytes.subarray(offset, offset + length));
    deepStrictEqual(scene.asked.splice(0), asked);
  }
});

seededTest(
  "a cache gives the bytes of the store, in whatever order they are read",
  async (random) => {
    using scene = new Scene();
    const bytes = random.bytes(300_000);
    await scene.far.create(PACK, bytes);
    for (let program = 0; program < 3; program++) {
      await using cache = scene.cache();
      await Promise.all(Array.from({ length: 10 }, async () => {
        const offset = random.below(bytes.length);
        const length = random.below(bytes.length - offset);
        const isFresh = random.below(20) === 0;
        if (random.below(20) === 0) rmSync(scene.fileOf(PACK), { force: true });
        const read = await cache.read(PACK, { offset, length, isFresh });
        deepStrictEqual(read, bytes.slice(offset, offset + length));
      }));
    }
  },
  { roundCount: 20 },
);

Deno.test("a cache keeps nothing that will not be asked for again, and gives what it has", async () => {
  using scene = new Scene();
  await scene.far.create(PACK, pattern(50_000));
  const range = { offset: 0, length: 20_000 };
  await scene.read(PACK, { ...range, isOnce: true });
  ok(!existsSync(scene.fileOf(PACK)));
  await scene.read(PACK, range);
  scene.asked.splice(0);
  deepStrictEqual(
    await scene.read(PACK, { ...range, isOnce: true }),
    pattern(50_000).subarray(0, 20_000),
  );
  deepStrictEqual(scene.asked, []);
});

Deno.test("a cache counts what it was good for", async () => {
  using scene = new Scene();
  await scene.far.create(PACK, pattern(100_000));
  await scene.read(PACK, { offset: 0, length: 16_384 });
  await using cache = scene.cache();
  await cache.read(PACK, { offset: 0, length: 1000 });
  await cache.read(PACK, { offset: 16_000, length: 1000 });
  const { hits, misses, bytesHit, bytesMissed } = cache.figures;
  deepStrictEqual([hits, misses, bytesHit, bytesMissed], [1, 1, 1384, 616]);
});

Deno.test("a damaged file of a cache is healed by who asks for fresh bytes", async () => {
  using scene = new Scene();
  const bytes = pattern(100_000);
  const range = { offset: 50_000, length: 100 };
  await scene.far.create(PACK, bytes);
  await scene.read(PACK, { length: 100_000 });
  const path = scene.fileOf(PACK);
  const kept = readFileSync(path);
  kept[kept.length - 50_000] ^= 1;
  writeFileSync(path, kept);
  const wanted = bytes.subarray(50_000, 50_100);
  deepStrictEqual((await scene.read(PACK, range))[0], wanted[0] ^ 1);
  deepStrictEqual(
    await scene.read(PACK, { ...range, isFresh: true }),
    wanted,
  );
  scene.asked.splice(0);
  deepStrictEqual(await scene.read(PACK, range), wanted);
  deepStrictEqual(scene.asked, []);
});

Deno.test("a file of a cache that was cut anywhere gives no wrong byte", async () => {
  using scene = new Scene();
  const bytes = pattern(60_000);
  await scene.far.create(PACK, bytes);
  const path = scene.fileOf(PACK);
  await scene.read(PACK, { length: bytes.length });
  const { size } = statSync(path);
  for (const cut of [0, 1, 8, 15, 16, 20, 30_000, size - 40_000, size - 1]) {
    truncateSync(path, cut);
    for (const length of [100, bytes.length, bytes.length]) {
      const read = await scene.read(PACK, { length });
      deepStrictEqual(read, bytes.subarray(0, length), `cut at ${cut}`);
    }
  }
});

Deno.test("what stands in the place of a file of a cache is not followed", async () => {
  using scene = new Scene();
  const victim = join(scene.root, "victim");
  writeFileSync(victim, "untouched");
  await scene.far.create(PACK, pattern(1000));
  await scene.read(PACK, { length: 1000 });
  const path = scene.fileOf(PACK);
  rmSync(path);
  symlinkSync(victim, path);
  deepStrictEqual(await scene.read(PACK, { length: 1000 }), pattern(1000));
  strictEqual(readFileSync(victim, "utf8"), "untouched");
  // Nor is another program's file taken for one of the cache.
  rmSync(path);
  writeFileSync(path, "x".repeat(300_000));
  deepStrictEqual(await scene.read(PACK, { length: 1000 }), pattern(1000));
  deepStrictEqual(await scene.read(PACK, { length: 1000 }), pattern(1000));
});

Deno.test("a cache that is removed while it is in use is made again", async () => {
  using scene = new Scene();
  await scene.far.create(PACK, pattern(100_000));
  await using cache = scene.cache();
  for (let i = 0; i < 3; i++) {
    rmSync(scene.root, { recursive: true, force: true });
    const range = { offset: i * 20_000, length: 20_000 };
    deepStrictEqual(
      await cache.read(PACK, range),
      pattern(100_000).subarray(range.offset, range.offset + 20_000),
    );
    await cache[Symbol.asyncDispose]();
    ok(existsSync(scene.fileOf(PACK)));
  }
});

Deno.test("absence is never kept, nor what was written by another name", async () => {
  using scene = new Scene();
  await rejects(scene.read(PACK, { length: 10 }), NotFoundError);
  await rejects(scene.read("tags/main/1"), NotFoundError);
  await scene.far.create(PACK, pattern(10));
  await scene.far.create("tags/main/1", pattern(10));
  deepStrictEqual(await scene.read(PACK, { length: 10 }), pattern(10));
  deepStrictEqual(await scene.read("tags/main/1"), pattern(10));
  await rejects(scene.read(PACK, { length: 11 }), { code: "SHORT" });
  ok(!existsSync(scene.fileOf("tags")));
});

Deno.test("a record is read from the cache when it was listed, else asked for", async () => {
  using scene = new Scene();
  await scene.far.create(RECORD, pattern(500));
  await scene.read(RECORD);
  await using cache = scene.cache();
  deepStrictEqual(await cache.read(RECORD), pattern(500));
  strictEqual(scene.asked.splice(0).length, 2);
  for await (const _ of cache.list("snapshots/"));
  deepStrictEqual(await cache.read(RECORD), pattern(500));
  deepStrictEqual(
    await cache.read(RECORD, { offset: 400 }),
    pattern(500).subarray(400),
  );
  strictEqual(scene.asked.length, 0);
  await scene.far.remove(RECORD);
  await rejects(scene.read(RECORD), NotFoundError);
});

Deno.test("a store at another place cannot put anything into the cache of this one", async () => {
  using scene = new Scene();
  await scene.far.create(PACK, pattern(1000));
  await scene.read(PACK, { length: 1000 }, { location: "https://evil/snaps" });
  scene.asked.splice(0);
  await scene.read(PACK, { length: 1000 });
  strictEqual(scene.asked.length, 1);
});

Deno.test("records and tables that a program writes are in its cache", async () => {
  using scene = new Scene();
  await using cache = scene.cache();
  await cache.create(RECORD, pattern(500));
  const path = await cache.spoolPath("0".repeat(32));
  writeFileSync(path, pattern(5000));
  await cache.adopt("index/aa", path);
  await cache[Symbol.asyncDispose]();
  deepStrictEqual(await cache.read(RECORD), pattern(500));
  deepStrictEqual(
    await cache.read("index/aa", { length: 5000 }),
    pattern(5000),
  );
  deepStrictEqual(scene.asked, []);
});

Deno.test("a small table is read whole at once, a larger one when its pages have cost as much", async () => {
  using scene = new Scene();
  const small = pattern(100_000), large = pattern(2_000_000);
  await scene.far.create("index/small", small);
  await scene.far.create("index/large", large);
  await using cache = scene.cache();
  for await (const _ of cache.list("index/"));
  const page = async (name: string, bytes: Uint8Array, offset: number) => {
    const read = await cache.read(name, { offset, length: 4096 });
    deepStrictEqual(read, bytes.subarray(offset, offset + 4096));
    return scene.asked.splice(0);
  };
  deepStrictEqual(await page("index/small", small, 8192), [
    "index/small 0+100000",
  ]);
  deepStrictEqual(await page("index/small", small, 40_960), []);
  for (const offset of [0, 1_000_000, 500_000]) {
    strictEqual((await page("index/large", large, offset)).length, 1);
  }
  deepStrictEqual(await page("index/large", large, 204_800), [
    "index/large 0+2000000",
  ]);
  deepStrictEqual(await page("index/large", large, 1_638_400), []);
  await cache[Symbol.asyncDispose]();
  deepStrictEqual(
    await scene.read("index/large", { length: large.length }),
    large,
  );
  deepStrictEqual(scene.asked, []);
});

Deno.test("a signal ends the wait for a table that others wait for, too", async () => {
  using scene = new Scene();
  await scene.far.create("index/small", pattern(100_000));
  await using cache = scene.cache();
  for await (const _ of cache.list("index/"));
  const stop = new AbortController();
  const range = { offset: 0, length: 100 };
  const ended = cache.read("index/small", { ...range, signal: stop.signal });
  const other = cache.read("index/small", range);
  stop.abort(new Error("enough"));
  await rejects(ended, /enough/);
  deepStrictEqual(await other, pattern(100_000).subarray(0, 100));
  strictEqual(scene.asked.length, 1);
});

Deno.test("files that were not used for the longest time go when there is no room", async () => {
  using scene = new Scene();
  const names = Array.from({ length: 20 }, (_, i) => `packs/ab/${i}`);
  const budget = 1_500_000;
  for (const [i, name] of names.entries()) {
    await scene.far.create(name, pattern(100_000));
    await scene.read(name, { length: 100_000 }, { budget: 1e9 });
    const used = new Date(1_700_000_000_000 + i * 1000);
    utimesSync(scene.fileOf(name), used, used);
  }
  await scene.far.create("index/old", pattern(1000));
  await scene.read("index/old", { length: 1000 });
  utimesSync(scene.fileOf("index/old"), 1_700_000_000, 1_700_000_000);
  // Used again, and so the last to go.
  await scene.read(names[0], { length: 100 }, { budget });
  await scene.far.create("packs/ab/more", pattern(100_000));
  await scene.read("packs/ab/more", { length: 100_000 }, { budget });
  const left = new Set(readdirSync(scene.fileOf("packs/ab")));
  ok(left.has("0") && left.has("more") && left.has("19"), [...left].join());
  ok(!left.has("1") && !left.has("2"), [...left].join());
  ok(existsSync(scene.fileOf("index/old")));
  let size = 0;
  for (const name of left) {
    size += statSync(scene.fileOf(`packs/ab/${name}`)).blocks * 512;
  }
  ok(size <= budget, `${size}`);
});

Deno.test("a folder that cannot be written to costs nobody a read", async () => {
  using scene = new Scene();
  const folder = join(scene.root, "file");
  writeFileSync(folder, "");
  await scene.far.create(PACK, pattern(1000));
  await using cache = scene.cache({ folder });
  for (let i = 0; i < 2; i++) {
    deepStrictEqual(await cache.read(PACK, { length: 1000 }), pattern(1000));
    await cache[Symbol.asyncDispose]();
  }
  ok(cache.figures.failure instanceof Error);
});

Deno.test({
  name: "a full disk costs nobody a read, and is made room on",
  ignore: !canMount(),
  async fn() {
    using scene = new Scene();
    const folder = join(scene.root, "disk");
    mountTmpfs(folder, "3m");
    try {
      await using cache = scene.cache({ folder });
      for (let i = 0; i < 40; i++) {
        const name = `packs/ab/${i}`;
        await scene.far.create(name, pattern(300_000));
        for (let j = 0; j < 2; j++) {
          const read = await cache.read(name, { length: 300_000 });
          deepStrictEqual(read, pattern(300_000));
        }
        await cache[Symbol.asyncDispose]();
      }
      ok(cache.figures.bytesEvicted > 0);
      strictEqual(cache.figures.failure, undefined);
    } finally {
      unmount(folder);
    }
  },
});

Deno.test("two programs share a cache", async () => {
  using scene = new Scene();
  const store = join(scene.root, "store");
  const program = new URL("testdata/read_cached.ts", import.meta.url).pathname;
  const run = async (seed: string): Promise<string> => {
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["run", "-A", program, store, join(scene.root, "caches"), seed],
        stdout: "piped",
        stderr: "piped",
      },
    ).output();
    ok(success, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  };
  await run("make");
  const outputs = await Promise.all([run("1"), run("2")]);
  deepStrictEqual(outputs, ["right\n", "right\n"]);
});

Deno.test("the folder of caches is told by the environment", () => {
  const folder = (env: Record<string, string>) =>
    cacheFolder({ HOME: "/home/me", ...env });
  strictEqual(folder({}), "/home/me/.cache/snap/stores");
  strictEqual(folder({ XDG_CACHE_HOME: "/fast" }), "/fast/snap/stores");
  strictEqual(folder({ XDG_CACHE_HOME: "rel" }), "/home/me/.cache/snap/stores");
  strictEqual(folder({ SNAP_CACHE_DIR: "/mine" }), "/mine");
  strictEqual(folder({ SNAP_CACHE_DIR: "mine" }), folder({}));
});
