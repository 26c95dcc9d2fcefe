import { deepEqual, equal, ok } from "node:assert/strict";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LATER, makeTree, saveAndCompare } from "../tests/_saves.ts";
import {
  leftovers,
  makeFileStore,
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
      // A second save finds everything there.
      const again = await saveAndCompare(snapshots, source, LATER);
      equal(again.storedByteCount, 0);
      copyFileSync(kept, lost);
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

Deno.test("save merges index tables, and reads none that is replaced again and again", async () => {
  using folder = new TemporaryFolder();
  await using snapshots = await makeSnapshots(folder.join("store"));
  const source = folder.join("source");
  mkdirSync(source);
  const written: number[] = [];
  for (let i = 0; i < 30; i++) {
    writeFileSync(join(source, `${i}`), noise(2000, i + 1));
    const before = new Set(await namesIn(snapshots.store, "index/"));
    await save(snapshots, source);
    const after = await namesIn(snapshots.store, "index/");
    written.push(after.filter((name) => !before.has(name)).length);
  }
  equal(await readEverything(snapshots), 30);
  await snapshots.refresh();
  const index = await snapshots.index();
  let packs = 0;
  for await (const batch of index.packs()) packs += batch.length;
  equal(packs, 60, "each pack in one table that counts");
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
