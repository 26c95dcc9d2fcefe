import { deepEqual, equal, ok } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import {
  INDEX_PAGE_SIZE,
  type IndexFile,
  indexPages,
  replacedTables,
} from "@snap/pack/index";
import { openIndex } from "@snap/pack/read";
import type { PruneStore } from "@snap/store";
import { MemoryStore } from "@snap/store/memory";
import { LATER, saveAndCompare } from "../tests/_saves.ts";
import {
  makeMemorySnapshots,
  namesIn,
  noise,
  open,
  readEverything,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { repairTable } from "@snap/pack/write";
import type { SaveOptions } from "./options.ts";
import { save } from "./save.ts";

type Part = "head" | "packs" | "frames" | "objects";

/** Enough for several pages of each sort but packs, and for a ring. */
function makeSource(path: string): void {
  for (let i = 0; i < 700; i++) {
    const folder = join(path, `${i % 7}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${i}`), noise(300, i + 1));
  }
  for (let i = 0; i < 3; i++) {
    writeFileSync(join(path, `large${i}`), noise(300_000, 1000 + i));
  }
}

/** Damages one byte in every page of a part of a table; gives its name. */
async function damage(
  store: PruneStore,
  part: Part,
  table?: IndexFile,
): Promise<string> {
  const { index } = await openIndex(store, { hasher: wasmHasher });
  const { name, size, head } = table ?? index.liveTables[0];
  const bytes = await store.read(name);
  const { framesFirst, objectsFirst, count } = indexPages(head);
  const first = size - count * INDEX_PAGE_SIZE;
  const [from, to] = {
    head: [-first / INDEX_PAGE_SIZE, 0],
    packs: [0, framesFirst],
    frames: [framesFirst, objectsFirst],
    objects: [objectsFirst, count],
  }[part];
  for (let page = from; page < to; page++) {
    bytes[first + page * INDEX_PAGE_SIZE + 80] ^= 1;
  }
  await store.remove(name);
  await store.create(name, bytes);
  return name;
}

for (const part of ["head", "packs", "frames", "objects"] as const) {
  for (const workers of [0, 2]) {
    const title = `${part}, ${workers} workers`;
    Deno.test(`save goes on beside a damaged index table: ${title}`, async () => {
      using folder = new TemporaryFolder();
      makeSource(folder.path);
      const store = (await makeMemorySnapshots(SMALL_SETTINGS)).store;
      const said: string[] = [];
      const options: SaveOptions = {
        ...LATER,
        workers,
        onDamage: (name) => said.push(name),
      };
      const saveAgain = async (more: SaveOptions = {}) => {
        await using snapshots = await open(store);
        return await save(snapshots, folder.path, { ...options, ...more });
      };
      await saveAgain();
      const name = await damage(store, part);
      writeFileSync(folder.join("new"), "new");
      const second = await saveAgain({ readAll: workers > 0 });
      equal(said[0], name);
      ok(second.isNewRecord);
      const isRepaired = part === "frames" || part === "objects";
      said.length = 0;
      const third = await saveAgain();
      equal(third.isNewRecord, false);
      equal(third.progress.readFileCount < 10, true);
      deepEqual(said, isRepaired ? [] : [name]);
      if (!isRepaired) return;
      // Nothing but the new file was stored, and everything can be read.
      ok(second.storedByteCount < 100_000, `${second.storedByteCount}`);
      await using snapshots = await open(store);
      equal(await readEverything(snapshots), 2);
    });
  }
}

Deno.test("save merges no damaged index table", async () => {
  using folder = new TemporaryFolder();
  await using snapshots = await makeMemorySnapshots();
  const said: string[] = [];
  const options: SaveOptions = {
    ...LATER,
    onDamage: (name) => said.push(name),
  };
  for (let i = 0; i < 8; i++) {
    writeFileSync(folder.join(`${i}`), noise(3000, i + 1));
    await save(snapshots, folder.path, options);
  }
  const name = await damage(snapshots.store, "frames");
  writeFileSync(folder.join("new"), "new");
  // Reads nothing that is in the damaged page before it merges.
  await saveAndCompare(snapshots, folder.path, options);
  deepEqual(said, [name]);
  equal(await readEverything(snapshots), 9);
  await snapshots.refresh();
  const { index } = await snapshots.index();
  ok(index.liveTables.length < 8);
});

Deno.test("repairTable replaces also what the table had replaced", async () => {
  using folder = new TemporaryFolder();
  await using snapshots = await makeMemorySnapshots();
  const saveOne = async (number: number) => {
    writeFileSync(folder.join(`${number}`), noise(3000, number + 1));
    await save(snapshots, folder.path, LATER);
  };
  for (let i = 0; i < 9; i++) await saveOne(i);
  await snapshots.refresh();
  const before = (await snapshots.index()).index.liveTables;
  const [merged] = before.filter(({ head }) => head.replaces.length > 0);
  await damage(snapshots.store, "objects", merged);
  ok(await repairTable(merged.name, snapshots, LATER));
  await snapshots.refresh();
  const { liveTables } = (await snapshots.index()).index;
  const wanted = new Set([merged.name, ...replacedTables([merged])]);
  ok(wanted.size > 2);
  ok(liveTables.some((one) => {
    const replaced = replacedTables([one]);
    return [...wanted].every((name) => replaced.has(name));
  }));
  equal(await readEverything(snapshots), 9);
});

Deno.test("save repairs no table of which a pack is lost, and believes nothing of it", async () => {
  using folder = new TemporaryFolder();
  makeSource(folder.path);
  const { store } = await makeMemorySnapshots(SMALL_SETTINGS);
  {
    await using snapshots = await open(store);
    await save(snapshots, folder.path, LATER);
  }
  const [lost] = await namesIn(store, "packs/");
  await store.remove(lost);
  const before = (await namesIn(store, "index/")).length;
  const name = await damage(store, "objects");
  for (let round = 0; round < 3; round++) {
    const said: string[] = [];
    await using snapshots = await open(store);
    await save(snapshots, folder.path, {
      ...LATER,
      onDamage: (one) => said.push(one),
    });
    ok(said.includes(name));
  }
  // One table for the packs that are left, one for what was stored again, none for later saves.
  equal((await namesIn(store, "index/")).length, before + 2);
});

Deno.test("a dry run writes nothing beside a damaged index table", async () => {
  using folder = new TemporaryFolder();
  makeSource(folder.path);
  const { store } = await makeMemorySnapshots(SMALL_SETTINGS);
  await using snapshots = await open(store);
  await save(snapshots, folder.path, LATER);
  await damage(store, "objects");
  const names = await namesIn(store);
  const said: string[] = [];
  const result = await save(snapshots, folder.path, {
    ...LATER,
    readAll: true,
    dryRun: true,
    onDamage: (name) => said.push(name),
  });
  equal(said.length, 1);
  ok(result.totals.fileCount > 700);
  deepEqual(await namesIn(store), names);
});

/** A store that others save into whenever it is listed. */
class BusyStore extends MemoryStore {
  onList: ((prefix: string) => Promise<void>) | undefined;

  override async *list(
    ...args: Parameters<MemoryStore["list"]>
  ): ReturnType<MemoryStore["list"]> {
    const { onList } = this;
    this.onList = undefined;
    await onList?.(args[0]);
    yield* super.list(...args);
    this.onList = onList;
  }
}

Deno.test("save is not misled by saves of others at the same time", async () => {
  using folder = new TemporaryFolder();
  const [source, other] = [folder.join("source"), folder.join("other")];
  makeSource(source);
  mkdirSync(other);
  const busy = new BusyStore();
  const { store } = await makeMemorySnapshots(SMALL_SETTINGS);
  for (const name of await namesIn(store)) {
    await busy.create(name, await store.read(name));
  }
  {
    await using snapshots = await open(busy);
    await save(snapshots, source, LATER);
  }
  let count = 0;
  busy.onList = async () => {
    writeFileSync(join(other, "file"), noise(1000, ++count));
    await using snapshots = await open(busy);
    await save(snapshots, other, LATER);
  };
  await using snapshots = await open(busy);
  const { progress, isNewRecord } = await save(snapshots, source, LATER);
  equal(progress.readFileCount, 0);
  equal(isNewRecord, false);
  ok(count >= 3);
});
