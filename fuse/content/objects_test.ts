import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { idToBytes } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { DamageError, ObjectKind, ObjectNotFoundError } from "@snap/pack";
import { openIndex } from "@snap/pack/read";
import { SharedFrameCache } from "@snap/pack/cache";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import type { MemoryStore } from "@snap/store/memory";
import {
  makeMemorySnapshots,
  noise,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { filesOf, testMount, TestRanges } from "../_testing.ts";
import { Objects, type TableKeeper, TableList } from "@snap/pack/objects";
import { NodeCursor } from "../nodes/node_cursor.ts";
import { ROOT_ID } from "../device/protocol.ts";

const { content } = ObjectKind;

/** Saves one file and returns the id of its content. */
async function saveFile(
  snapshots: Snapshots<MemoryStore>,
  text: string,
): Promise<Uint8Array> {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("tree"));
  writeFileSync(folder.join("tree", "file"), text);
  await save(snapshots, folder.join("tree"));
  await snapshots.refresh();
  return idToBytes(wasmHasher.idOf(new TextEncoder().encode(text)));
}

/** Objects over the files of a store as they are now. */
async function open(
  store: MemoryStore,
  tables: TableList,
  keeper?: TableKeeper,
) {
  const ranges = new TestRanges(await filesOf(store));
  const cache = SharedFrameCache.create({ sizeMax: 1 });
  const hasher = wasmHasher;
  const objects = new Objects({ ranges, cache, hasher, tables, keeper });
  return { ranges, objects };
}

/** What is asked of a keeper. */
class TestKeeper implements TableKeeper {
  searchCount = 0;
  readonly damaged: string[] = [];

  search(): void {
    this.searchCount++;
  }

  tellDamage(name: string): void {
    this.damaged.push(name);
  }
}

/** Asks as often as may be needed where nothing is on its way. */
function takeSoon(objects: Objects, id: Uint8Array): Uint8Array | undefined {
  return objects.take(id, 0, content) ?? objects.take(id, 0, content);
}

async function addTables(list: TableList, store: MemoryStore): Promise<void> {
  const { index } = await openIndex(store, { hasher: wasmHasher });
  // As if their bytes lay in the store alone.
  list.add(index.tables.map(({ name, size, head }) => ({ name, size, head })));
}

function textOf(bytes: Uint8Array | undefined): string {
  ok(bytes);
  return new TextDecoder().decode(bytes.slice());
}

Deno.test("Objects sees tables that are listed later, each once", async () => {
  const snapshots = await makeMemorySnapshots();
  const { store } = snapshots;
  const first = await saveFile(snapshots, "first");
  const tables = TableList.create();
  await addTables(tables, store);
  const second = await saveFile(snapshots, "second");
  const { objects } = await open(store, tables);
  equal(textOf(objects.take(first, 0, content)), "first");
  equal(objects.find(second, 0, content), "absent");
  throws(() => objects.take(second, 0, content), ObjectNotFoundError);
  await addTables(new TableList(tables.buffer), store);
  await addTables(tables, store);
  equal(tables.count, 2);
  equal(textOf(objects.take(second, 0, content)), "second");
  objects.release();
});

Deno.test("Objects goes on without a table that is gone or damaged", async () => {
  const snapshots = await makeMemorySnapshots();
  const { store } = snapshots;
  const ids = [
    await saveFile(snapshots, "one"),
    await saveFile(snapshots, "2"),
  ];
  const tables = TableList.create();
  await addTables(tables, store);
  for (const number of [0, 1]) {
    const { name } = tables.table(number);
    for (const damage of ["gone", "gone later", "damaged"]) {
      const { ranges, objects } = await open(store, tables);
      const bytes = ranges.files.get(name)!.slice();
      if (damage === "gone later") {
        // The heads are read now, the pages when the table is gone.
        objects.find(new Uint8Array(32), 0, ObjectKind.tree);
      }
      ranges.files.delete(name);
      bytes[90] ^= 1;
      if (damage === "damaged") ranges.files.set(name, bytes);
      const found = ids.map((id) => objects.find(id, 0, content) !== "absent");
      deepEqual(found.sort(), [false, true], damage);
    }
  }
});

Deno.test("Objects reads heads of tables in one round", async () => {
  const snapshots = await makeMemorySnapshots();
  const { store } = snapshots;
  let id = new Uint8Array(32);
  for (let i = 0; i < 5; i++) {
    id = (await saveFile(snapshots, `file ${i}`)) as Uint8Array<ArrayBuffer>;
  }
  const tables = TableList.create();
  await addTables(tables, store);
  const { ranges, objects } = await open(store, tables);
  ranges.isLate = true;
  const rounds: number[] = [];
  while (objects.find(id, 0, content) === undefined) {
    rounds.push(ranges.wanted.length);
    ranges.deliver();
    ok(rounds.length < 20);
  }
  equal(rounds[0], tables.count);
  ok(rounds.slice(1).every((count) => count === 1));
});

Deno.test("Objects reads the only copies again after all have failed", async () => {
  const snapshots = await makeMemorySnapshots();
  const id = await saveFile(snapshots, "content".repeat(100));
  const tables = TableList.create();
  await addTables(tables, snapshots.store);
  const { ranges, objects } = await open(snapshots.store, tables);
  const good = new Map(ranges.files);
  for (const [name, bytes] of good) {
    if (!name.startsWith("packs/")) continue;
    ranges.files.set(name, bytes.map((byte, at) => at < 72 ? byte : byte ^ 8));
  }
  throws(() => objects.take(id, 0, content), DamageError);
  throws(() => objects.take(id, 0, content), DamageError);
  for (const [name, bytes] of good) ranges.files.set(name, bytes);
  equal(textOf(objects.take(id, 0, content)), "content".repeat(100));
});

Deno.test("a wide directory is a recipe, and loads however late it comes", async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("tree", "wide"), { recursive: true });
  for (let i = 0; i < 1500; i++) {
    writeFileSync(folder.join("tree", "wide", `${i}`), noise(10, i));
  }
  const snapshots = await makeMemorySnapshots(SMALL_SETTINGS);
  const { record } = await save(snapshots, folder.join("tree"));
  await snapshots.refresh();
  for (const isLate of [false, true]) {
    const ranges = new TestRanges(await filesOf(snapshots.store));
    const cache = SharedFrameCache.create({ sizeMax: 1 });
    const mount = await testMount(snapshots.store, record, { ranges, cache });
    const { nodes, objects } = mount;
    const cursor = new NodeCursor();
    nodes.select(ROOT_ID, 0, cursor);
    nodes.select(nodes.open(cursor)!.nodeId(0), 0, cursor);
    const { bytes } = cursor.tree;
    equal(
      objects.find(bytes, cursor.tree.idStart(0), ObjectKind.tree),
      "absent",
    );
    ranges.isLate = isLate;
    let rounds = 0;
    while (nodes.open(cursor) === undefined) {
      ok(ranges.wanted.length > 0);
      ranges.deliver();
      ok(rounds++ < 200);
    }
    equal(nodes.open(cursor)!.tree.count, 1500);
    equal(rounds > 0, isLate);
  }
});

Deno.test("Objects reads a store again that was away for a while", async () => {
  const snapshots = await makeMemorySnapshots();
  const id = await saveFile(snapshots, "content");
  const tables = TableList.create();
  await addTables(tables, snapshots.store);
  const { ranges, objects } = await open(snapshots.store, tables);
  const files = [...ranges.files];
  ranges.files.clear();
  for (let i = 0; i < 3; i++) {
    throws(() => objects.take(id, 0, content), ObjectNotFoundError);
  }
  for (const [name, bytes] of files) ranges.files.set(name, bytes);
  equal(textOf(objects.take(id, 0, content)), "content");
});

Deno.test("Objects has packs looked for that no table names, and finds what is in them", async () => {
  const snapshots = await makeMemorySnapshots();
  const { store } = snapshots;
  await saveFile(snapshots, "first");
  const tables = TableList.create();
  await addTables(tables, store);
  const id = await saveFile(snapshots, "second");
  const keeper = new TestKeeper();
  const { objects } = await open(store, tables, keeper);
  for (let i = 0; i < 3; i++) {
    equal(objects.take(id, 0, content), undefined);
    equal(keeper.searchCount, 1);
  }
  await addTables(tables, store);
  tables.endSearch(tables.wantedCount, "made");
  equal(textOf(takeSoon(objects, id)), "second");
  equal(keeper.searchCount, 1);
});

Deno.test("Objects that are nowhere are looked for once, and again after a search that failed", async () => {
  const snapshots = await makeMemorySnapshots();
  await saveFile(snapshots, "first");
  const tables = TableList.create();
  await addTables(tables, snapshots.store);
  const keeper = new TestKeeper();
  const { objects } = await open(snapshots.store, tables, keeper);
  const absent = new Uint8Array(32).fill(1);
  for (const searchCount of [1, 2]) {
    equal(objects.take(absent, 0, content), undefined);
    equal(keeper.searchCount, searchCount);
    tables.endSearch(tables.wantedCount, "failed");
    throws(() => takeSoon(objects, absent), ObjectNotFoundError);
  }
  equal(objects.take(absent, 0, content), undefined);
  tables.endSearch(tables.wantedCount, "made");
  for (let i = 0; i < 3; i++) {
    throws(() => takeSoon(objects, absent), ObjectNotFoundError);
  }
  equal(keeper.searchCount, 3);
});

Deno.test("Objects passes damaged pages, says so once, and has their packs looked for", async () => {
  const snapshots = await makeMemorySnapshots();
  const id = await saveFile(snapshots, "content");
  const tables = TableList.create();
  await addTables(tables, snapshots.store);
  const keeper = new TestKeeper();
  const { ranges, objects } = await open(snapshots.store, tables, keeper);
  const { name } = tables.table(0);
  const bytes = ranges.files.get(name)!.slice();
  for (let at = 4096; at < bytes.length; at += 4096) bytes[at + 90] ^= 1;
  ranges.files.set(name, bytes);
  for (let i = 0; i < 3; i++) equal(takeSoon(objects, id), undefined);
  deepEqual(keeper.damaged, [name]);
  deepEqual([...tables.damaged], [name]);
  equal(keeper.searchCount, 1);
  tables.endSearch(tables.wantedCount, "made");
  throws(() => takeSoon(objects, id), ObjectNotFoundError);
});

Deno.test("Objects whose only copy is damaged are looked for in packs that no table names", async () => {
  const snapshots = await makeMemorySnapshots();
  const id = await saveFile(snapshots, "content".repeat(100));
  const tables = TableList.create();
  await addTables(tables, snapshots.store);
  const keeper = new TestKeeper();
  const { ranges, objects } = await open(snapshots.store, tables, keeper);
  for (const [name, bytes] of ranges.files) {
    if (!name.startsWith("packs/")) continue;
    ranges.files.set(name, bytes.map((byte, at) => at < 72 ? byte : byte ^ 8));
  }
  equal(takeSoon(objects, id), undefined);
  equal(keeper.searchCount, 1);
  tables.endSearch(tables.wantedCount, "made");
  throws(() => takeSoon(objects, id), DamageError);
});
