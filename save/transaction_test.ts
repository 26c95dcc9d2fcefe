import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { idToBytes } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import { StoreError, type StoreOptions } from "@snap/store";
import { MemoryStore } from "@snap/store/memory";
import { formatSettings, initStore } from "@snap/store/format";
import { LATER, makeTree, saveAndCompare } from "../tests/_saves.ts";
import {
  leftovers,
  makeFileStore,
  makeMemorySnapshots,
  makeSnapshots,
  namesIn,
  noise,
  open,
  readDisk,
  readEverything,
  readSnapshot,
  sameEntries,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import type { SaveOptions } from "./options.ts";
import { save } from "./save.ts";

Deno.test("save heals a store that has lost a pack", async (t) => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeTree(source);
  const path = folder.join("store");
  const store = await makeFileStore(path, SMALL_SETTINGS);
  {
    await using snapshots = await open(store);
    await save(snapshots, source, LATER);
  }
  const packs = await namesIn(store, "packs/");
  ok(packs.length >= 2);
  for (const [i, pack] of packs.entries()) {
    await t.step(`pack ${i}`, async () => {
      const kept = folder.join("kept");
      const lost = join(path, pack);
      copyFileSync(lost, kept);
      rmSync(lost);
      await using snapshots = await open(store);
      const result = await saveAndCompare(snapshots, source, LATER);
      ok(result.storedByteCount > 0);
      // Small content is looked up, large content read: its chunks may be lost.
      const again = await saveAndCompare(snapshots, source, LATER);
      equal(again.storedByteCount, 0);
      equal(again.progress.newObjectCount, 0);
      copyFileSync(kept, lost);
    });
  }
});

Deno.test("save of one source hides no loss from the next one", async () => {
  using folder = new TemporaryFolder();
  const large = noise(600_000, 3);
  for (const name of ["x", "y", "z"]) mkdirSync(folder.join(name));
  writeFileSync(folder.join("x/small"), noise(5000, 1));
  writeFileSync(folder.join("y/small"), noise(5000, 2));
  writeFileSync(folder.join("y/large"), large);
  writeFileSync(folder.join("z/copy"), large);
  const path = folder.join("store");
  const store = await makeFileStore(path);
  {
    await using snapshots = await open(store);
    await save(snapshots, folder.join("y"), LATER);
  }
  const sizes = await Promise.all(
    (await namesIn(store, "packs/")).map(async (name) =>
      [await store.size(name) ?? 0, name] as const
    ),
  );
  const [[, largest]] = sizes.sort(([a], [b]) => b - a);
  rmSync(join(path, largest));
  for (const name of ["x", "y", "z"]) {
    await using snapshots = await open(store);
    await saveAndCompare(snapshots, folder.join(name), LATER);
  }
});

Deno.test("save stores a damaged tree of the snapshot before again", async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("source"));
  writeFileSync(folder.join("source/a"), "a");
  await using snapshots = await makeSnapshots(folder.join("store"));
  const { record } = await save(snapshots, folder.join("source"), LATER);
  const reader = await snapshots.reader();
  const id = idToBytes(record!.tree);
  const at = await reader.index.locate(id, ObjectKind.tree);
  const pack = folder.join("store", at!.packName);
  const bytes = readFileSync(pack);
  bytes[at!.frameOffset + 8] ^= 1;
  writeFileSync(pack, bytes);
  const damages: string[] = [];
  writeFileSync(folder.join("source/b"), "b");
  rmSync(folder.join("source/b"));
  const result = await save(snapshots, folder.join("source"), {
    ...LATER,
    onDamage: (name) => damages.push(name),
  });
  ok(damages.length > 0);
  ok(result.storedByteCount > 0);
  sameEntries(
    await readSnapshot(snapshots, result.record!),
    readDisk(folder.join("source")),
  );
});

Deno.test("save heals a store of which one pack is left", async (t) => {
  using folder = new TemporaryFolder();
  // Trees above the largest chunk: their recipes may be there without the chunks.
  for (let i = 0; i < 300; i++) writeFileSync(folder.join(`${i}`), `${i}`);
  writeFileSync(folder.join("large"), noise(100_000, 1));
  await using snapshots = await makeMemorySnapshots({
    ...SMALL_SETTINGS,
    packSizeTarget: 4096,
  });
  await save(snapshots, folder.path, LATER);
  const names = await namesIn(snapshots.store);
  const isPack = (name: string): boolean => name.startsWith("packs/");
  ok(names.filter(isPack).length > 6);
  for (const kept of names.filter(isPack)) {
    await t.step(kept, async () => {
      const left = new MemoryStore();
      for (const name of names) {
        if (isPack(name) && name !== kept) continue;
        await left.create(name, await snapshots.store.read(name));
      }
      await using damaged = await open(left);
      await saveAndCompare(damaged, folder.path, LATER);
    });
  }
});

Deno.test("save heals a store that has lost every index", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeTree(source);
  await using snapshots = await makeSnapshots(folder.join("store"));
  await save(snapshots, source, LATER);
  for (const name of await namesIn(snapshots.store, "index/")) {
    await snapshots.store.remove(name);
  }
  await saveAndCompare(snapshots, source, LATER);
});

Deno.test("save believes no snapshot whose record is gone", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeTree(source);
  await using snapshots = await makeSnapshots(folder.join("store"));
  const first = await save(snapshots, source, LATER);
  for (const name of await namesIn(snapshots.store, "snapshots/")) {
    await snapshots.store.remove(name);
  }
  const second = await saveAndCompare(snapshots, source, LATER);
  equal(second.progress.readFileCount, first.totals.fileCount);
  equal(second.storedByteCount, 0);
  equal(second.isNewRecord, true);
});

Deno.test("save believes no record that came without its packs", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeTree(source);
  await using one = await makeSnapshots(folder.join("one"));
  await using two = await makeSnapshots(folder.join("two"));
  await save(one, source, LATER);
  for (const name of await namesIn(one.store, "snapshots/")) {
    await two.store.create(name, await one.store.read(name));
  }
  const result = await save(two, source, LATER);
  sameEntries(await readSnapshot(two, result.record!), readDisk(source));
  equal(await readEverything(two), 1);
});

Deno.test("save works although a record is damaged, and says so", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeTree(source);
  await using snapshots = await makeSnapshots(folder.join("store"));
  await save(snapshots, source, LATER);
  const [name] = await namesIn(snapshots.store, "snapshots/");
  writeFileSync(folder.join("store", name), "damaged");
  const said: string[] = [];
  await saveAndCompare(snapshots, source, {
    ...LATER,
    onDamage: (what) => said.push(what),
  });
  equal(said.length, 1);
});

Deno.test("save merges index tables, and rarely writes old rows again", async () => {
  using folder = new TemporaryFolder();
  await using snapshots = await makeMemorySnapshots();
  const { store } = snapshots;
  const sizes = new Map<string, number>();
  for (let i = 0; i < 40; i++) {
    writeFileSync(folder.join(`${i}`), noise(2000, i + 1));
    await save(snapshots, folder.path);
    for await (const batch of store.list("index/")) {
      for (const { name, size } of batch) sizes.set(name, size);
    }
  }
  equal(await readEverything(snapshots), 40);
  const { index } = await snapshots.index();
  const live = index.liveTables;
  ok(live.length <= 9, `${live.length} tables have to be asked`);
  const packs = live.reduce((sum, { head }) => sum + head.packCount, 0);
  equal(packs, 80, "each pack in one table that counts");
  const rows = index.tables.reduce((sum, { head }) => sum + head.packCount, 0);
  ok(rows <= 5 * 80, `${rows} rows of packs were written`);
  equal(sizes.size, 40);
});

Deno.test("saves of two sources into one store at once are both whole", async () => {
  using folder = new TemporaryFolder();
  const store = await makeFileStore(folder.join("store"));
  const sources = ["a", "b", "c"].map((name) => folder.join(name));
  for (const source of sources) makeTree(source);
  writeFileSync(join(sources[1], "more"), noise(100_000, 9));
  const results = await Promise.all(
    [...sources, sources[0]].map(async (source) => {
      await using snapshots = await open(store);
      return await save(snapshots, source, { workers: 2 });
    }),
  );
  await using snapshots = await open(store);
  for (const [i, source] of [...sources, sources[0]].entries()) {
    sameEntries(
      await readSnapshot(snapshots, results[i].record!),
      readDisk(source),
    );
  }
  equal(await readEverything(snapshots), 4);
  deepEqual(leftovers(store), []);
});

for (const workers of [0, 1, 2]) {
  Deno.test(`save empties its claims when they are full: ${workers} workers`, async () => {
    using folder = new TemporaryFolder();
    const source = folder.join("source");
    makeManyFiles(source, 4000);
    await using snapshots = await makeMemorySnapshots(SMALL_SETTINGS);
    const result = await saveAndCompare(snapshots, source, {
      ...LATER,
      workers,
      claimSlots: 1024,
    });
    ok((await namesIn(snapshots.store, "index/")).length >= 2);
    const again = await saveAndCompare(snapshots, source, {
      ...LATER,
      readAll: true,
      claimSlots: 1024,
    });
    equal(again.storedByteCount, 0);
    equal(again.progress.newObjectCount, 0);
    // Content that comes again is stored once: half of the files are copies.
    const { newObjectCount } = result.progress;
    ok(newObjectCount < 4000, `${newObjectCount}`);
  });

  Deno.test(`save empties its claims beside lost packs: ${workers} workers`, async () => {
    using folder = new TemporaryFolder();
    const source = folder.join("source");
    makeManyFiles(source, 4000);
    await using snapshots = await makeMemorySnapshots(SMALL_SETTINGS);
    const options = { ...LATER, workers, claimSlots: 1024 };
    const first = await saveAndCompare(snapshots, source, options);
    const packs = await namesIn(snapshots.store, "packs/");
    for (const name of packs.slice(1)) await snapshots.store.remove(name);
    const second = await saveAndCompare(snapshots, source, options);
    ok(second.storedByteCount > first.storedByteCount / 2);
    ok(second.storedByteCount < first.storedByteCount * 2);
  });
}

/** Small files and some large ones, in folders; the second half repeats the first. */
function makeManyFiles(path: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const seed = i % (count / 2);
    const folder = join(path, `${i % 7}`, `${i % 3}`);
    mkdirSync(folder, { recursive: true });
    const size = seed % 100 === 0 ? 30_000 : 50 + seed % 500;
    writeFileSync(join(folder, `${i}`), noise(size, seed + 1));
  }
}

/** A store that takes its time for what it is given, and hears signals. */
class SlowStore extends MemoryStore {
  /** Told that something is on its way. */
  onAdopt: (name: string) => void = () => {};

  override async adopt(
    name: string,
    path: string,
    options?: StoreOptions,
  ): Promise<boolean> {
    this.onAdopt(name);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, name.startsWith("index/") ? 3000 : 0);
      options?.signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(options.signal!.reason);
      });
    });
    return await super.adopt(name, path, options);
  }
}

Deno.test("save hears a signal while the store is slow at its end", async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("file"), "file");
  const store = new SlowStore();
  await initStore(store, formatSettings(SMALL_SETTINGS));
  await using snapshots = await open(store);
  const controller = new AbortController();
  const reason = new Error("Enough");
  let abortedAt = 0;
  store.onAdopt = (name) => {
    if (!name.startsWith("index/")) return;
    abortedAt = performance.now();
    controller.abort(reason);
  };
  const saving = save(snapshots, folder.path, { signal: controller.signal });
  await rejects(saving, (error) => error === reason);
  const waited = performance.now() - abortedAt;
  ok(waited < 1000, `It took ${waited} ms`);
  deepEqual(await namesIn(store, "snapshots/"), []);
});

/** A store whose records cannot be read for a while. */
class ShakyStore extends MemoryStore {
  isShaky = false;

  override async read(
    ...args: Parameters<MemoryStore["read"]>
  ): Promise<Uint8Array> {
    if (this.isShaky && args[0].startsWith("snapshots/")) {
      const fields = { code: "EIO", action: "read" } as const;
      throw new StoreError("Cannot read", fields);
    }
    return await super.read(...args);
  }
}

Deno.test("save fails with a store that cannot read a record: that is no damage", async () => {
  using folder = new TemporaryFolder();
  makeTree(folder.path);
  const store = new ShakyStore();
  await initStore(store, formatSettings(SMALL_SETTINGS));
  await using snapshots = await open(store);
  const said: string[] = [];
  const options: SaveOptions = {
    ...LATER,
    onDamage: (name) => said.push(name),
  };
  await save(snapshots, folder.path, options);
  const names = await namesIn(store);
  store.isShaky = true;
  await rejects(save(snapshots, folder.path, options), StoreError);
  deepEqual(said, []);
  deepEqual(await namesIn(store), names);
  store.isShaky = false;
  const { progress } = await save(snapshots, folder.path, options);
  equal(progress.readFileCount, 0);
});
