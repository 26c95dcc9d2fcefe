import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { startWorker } from "@snap/posix/worker";
import {
  DEPTH_MAX,
  EntryKind,
  ManifestSyntaxError,
} from "@snap/manifest/extras";
import { AttributePage } from "@snap/manifest";
import { idFromBytes } from "@snap/hash";
import { MemoryStore } from "@snap/store/memory";
import { SharedFrameCache } from "@snap/pack/cache";
import { View, type ViewEntry } from "@snap/snapshot/view";
import { HostileStore, latin } from "../../tests/_hostile_store.ts";
import { makeTree, saveAndCompare } from "../../tests/_saves.ts";
import {
  makeFileStore,
  makeSnapshots,
  open,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import {
  filesOf,
  listTables,
  readRoot,
  type TestMount,
  testMount,
  TestRanges,
} from "../_testing.ts";
import { inodeHighOf, inodeLowOf } from "./inode_number.ts";
import { NodeCursor } from "./node_cursor.ts";
import { NodeTable } from "./node_table.ts";
import { Pieces } from "../device/pieces.ts";
import { ROOT_ID } from "../device/protocol.ts";
import type { WalkOutcome, WalkTask } from "../testdata/walk_worker.ts";

const WALK_WORKER = new URL("../testdata/walk_worker.ts", import.meta.url);

/** Compares a node and all below it with a view; returns how many there are. */
async function compare(
  mount: TestMount,
  view: View,
  entry: ViewEntry,
  id: number,
): Promise<number> {
  const { nodes, contents } = mount;
  const cursor = new NodeCursor();
  ok(nodes.select(id, 0, cursor));
  equal(cursor.id, id);
  equal(cursor.kind, entry.kind);
  deepEqual(nodes.pathOf(id), entry.path);
  const row = cursor.row + 1;
  equal(cursor.page.mode(row), entry.attributes.mode);
  equal(cursor.page.mtimeNs(row), entry.attributes.mtimeNs);
  equal(inodeLowOf(cursor), entry.attributes.inodeLow);
  equal(inodeHighOf(cursor), entry.attributes.inodeHigh);
  if (cursor.row >= 0) {
    deepEqual(cursor.tree.name(cursor.row).slice(), entry.name);
    deepEqual(cursor.tree.target(cursor.row).slice(), entry.target);
  }
  if (entry.kind <= EntryKind.executable) {
    const pieces = new Pieces();
    const { bytes } = cursor.tree;
    const start = cursor.tree.idStart(cursor.row);
    ok(contents.collect(bytes, start, entry.size, 0, entry.size, pieces));
    deepEqual(join(pieces), await view.read(entry));
    contents.release();
  }
  if (entry.kind !== EntryKind.directory) {
    throws(() => nodes.open(cursor), TypeError);
    return 1;
  }
  const directory = nodes.open(cursor)!;
  equal(directory.id, id);
  let at = 0;
  let count = 1;
  for await (const batch of view.children(entry).batches()) {
    for (const child of batch) {
      const childId = directory.nodeId(at);
      equal(directory.tree.find(child.name), at++);
      count += await compare(mount, view, child, childId);
    }
  }
  equal(directory.tree.count, at);
  return count;
}

function join(pieces: Pieces): Uint8Array {
  const bytes = new Uint8Array(pieces.byteCount);
  let at = 0;
  for (const view of pieces.views.slice(0, pieces.count)) {
    bytes.set(view, at);
    at += view.length;
  }
  return bytes;
}

Deno.test("NodeTable has every entry and content that a view has", async () => {
  using folder = new TemporaryFolder();
  makeTree(folder.join("tree"));
  await using snapshots = await makeSnapshots(
    folder.join("store"),
    SMALL_SETTINGS,
  );
  const { record } = await saveAndCompare(snapshots, folder.join("tree"));
  await snapshots.refresh();
  const view = await View.open(snapshots, record!);
  const mount = await testMount(snapshots.store, record!);
  const count = await compare(mount, view, view.root, ROOT_ID);
  equal(count, record!.totals.entryCount + 1);
  // Again, from what was loaded, in a table that loads nothing.
  const nodes = new NodeTable(mount.nodes.buffer);
  equal(await compare({ ...mount, nodes }, view, view.root, ROOT_ID), count);
});

Deno.test("NodeTable numbers the sub-directories of a wide directory", async () => {
  const store = new HostileStore();
  const rows = Array.from({ length: 300 }, (_, i) => {
    const name = `e${String(i).padStart(4, "0")}`;
    const below = i % 3 === 1
      ? store.directory([{ name: `in${i}`, content: `of ${i}` }])
      : undefined;
    return below === undefined ? { name, content: name } : { name, below };
  });
  const { snapshots, record } = await hostile(store, rows);
  const { nodes } = await testMount(snapshots.store, record);
  const cursor = new NodeCursor();
  nodes.select(ROOT_ID, 0, cursor);
  const root = nodes.open(cursor)!;
  for (let row = 299; row >= 0; row--) {
    nodes.select(root.nodeId(row), 0, cursor);
    if (row % 3 !== 1) continue;
    const { tree, parentId } = nodes.open(cursor)!;
    equal(parentId, ROOT_ID);
    deepEqual(tree.name(0).slice(), latin(`in${row}`));
    deepEqual(
      nodes.pathOf(nodes.open(cursor)!.nodeId(0)),
      latin(`e${String(row).padStart(4, "0")}/in${row}`),
    );
  }
});

function hostile(
  store: HostileStore,
  rows: Parameters<HostileStore["directory"]>[0],
) {
  return store.write(new MemoryStore(), store.directory(rows));
}

Deno.test("NodeTable has no node for an id that it never gave", async () => {
  const store = new HostileStore();
  const { snapshots, record } = await hostile(store, [{ name: "a" }]);
  const { nodes } = await testMount(snapshots.store, record);
  const cursor = new NodeCursor();
  nodes.select(ROOT_ID, 0, cursor);
  const first = nodes.open(cursor)!.nodeId(0);
  equal(nodes.select(first, 1, cursor), false);
  const good = new Set<number>();
  for (const id of [0, 2, 2 ** 29, 2 ** 31, 2 ** 32 - 1]) {
    equal(nodes.select(id, 0, cursor), false, `${id}`);
  }
  for (let id = 0; id < 20_000; id++) {
    if (nodes.select(id, 0, cursor)) good.add(id);
  }
  // The root has a second id, that of its own words.
  deepEqual([...good], [ROOT_ID, first - 1, first]);
});

Deno.test("NodeTable asks for a tree and its page at once, however late they come", async () => {
  const store = new HostileStore();
  const below = store.directory([{ name: "b", content: "B" }]);
  const { snapshots, record } = await hostile(store, [{ name: "a", below }]);
  const ranges = new TestRanges(await filesOf(snapshots.store));
  ranges.isLate = true;
  const { nodes } = await testMount(snapshots.store, record, { ranges });
  const cursor = new NodeCursor();
  nodes.select(ROOT_ID, 0, cursor);
  nodes.select(nodes.open(cursor)!.nodeId(0), 0, cursor);
  const rounds: number[] = [];
  let directory;
  while ((directory = nodes.open(cursor)) === undefined) {
    rounds.push(ranges.wanted.length);
    ranges.deliver();
    ok(rounds.length < 20);
  }
  deepEqual(directory.tree.name(0).slice(), latin("b"));
  equal(rounds.at(-1), 2, `both frames in one round: ${rounds}`);
});

Deno.test("NodeTable refuses a page of another tree, and may be asked again", async () => {
  const store = new HostileStore();
  const below = store.directory([{ name: "b", content: "B" }]);
  const other = store.directory([{ name: "c", content: "C" }]);
  const rows = [{ name: "a", below: { tree: below.tree, page: other.page } }];
  const { snapshots, record } = await hostile(store, rows);
  const { nodes } = await testMount(snapshots.store, record);
  const cursor = new NodeCursor();
  nodes.select(ROOT_ID, 0, cursor);
  nodes.select(nodes.open(cursor)!.nodeId(0), 0, cursor);
  for (let i = 0; i < 3; i++) {
    throws(() => nodes.open(cursor), ManifestSyntaxError);
  }
});

Deno.test("NodeTable goes no deeper than directories may nest", async () => {
  const store = new HostileStore();
  let below = store.directory([]);
  for (let i = 0; i <= DEPTH_MAX; i++) {
    below = store.directory([{ name: "d", below }]);
  }
  const { snapshots, record } = await store.write(new MemoryStore(), below);
  const { nodes } = await testMount(snapshots.store, record);
  const cursor = new NodeCursor();
  nodes.select(ROOT_ID, 0, cursor);
  for (let depth = 1; depth <= DEPTH_MAX; depth++) {
    nodes.select(nodes.open(cursor)!.nodeId(0), 0, cursor);
  }
  const last = nodes.open(cursor)!.nodeId(0);
  equal(nodes.pathOf(last).length, 2 * DEPTH_MAX + 1);
  nodes.select(last, 0, cursor);
  throws(() => nodes.open(cursor), ManifestSyntaxError);
});

Deno.test("NodeTable shows inode numbers that are equal for hard links only", async () => {
  const store = new HostileStore();
  const rows = ["a", "b", "c", "d", "e"].map((name) => ({ name, inode: 7 }));
  const { snapshots, record } = await hostile(store, rows);
  const root = await readRoot(snapshots.store, record);
  // Rows 0 to 5: b and c on device 1, d on device 2, e without a number.
  const page = AttributePage.decode(root.pageBytes);
  const pageBytes = root.pageBytes.slice();
  const devices = pageBytes.length - 16 * page.owners - 2 * page.rows;
  pageBytes.set([1, 0, 1, 0, 2], devices + 4);
  const inodes = 64 + 16 * page.rows;
  pageBytes.fill(0, inodes + 8 * 5, inodes + 8 * 6);
  equal(AttributePage.decode(pageBytes).device(4), 2);
  const numbers = (table: NodeTable, id: number): string[] => {
    const cursor = new NodeCursor();
    table.select(id, 0, cursor);
    const directory = table.open(cursor)!;
    return rows.map((_, row) => {
      table.select(directory.nodeId(row), 0, cursor);
      return `${inodeHighOf(cursor)} ${inodeLowOf(cursor)}`;
    });
  };
  const table = NodeTable.create({ sizeMax: 1 << 20 });
  const one = numbers(table, table.addVolume({ ...root, pageBytes }));
  equal(one[0], "0 7");
  equal(one[1], one[2]);
  equal(new Set(one).size, 4);
  ok(one.slice(1).every((text) => Number(text.split(" ")[0]) >= 2 ** 31));
  const all = NodeTable.create({ sizeMax: 1 << 20, isAll: true });
  const first = numbers(all, all.addVolume({ ...root, pageBytes }));
  const second = numbers(all, all.addVolume({ ...root, pageBytes }));
  equal(first[1], first[2]);
  equal(new Set([...one, ...first, ...second]).size, 12);
});

Deno.test("NodeTable gives back a volume that the kernel has forgotten", async () => {
  const store = new HostileStore();
  const below = store.directory([{ name: "b", content: "B" }]);
  const { snapshots, record } = await hostile(store, [{ name: "a", below }]);
  const mount = await testMount(snapshots.store, undefined, { isAll: true });
  const { nodes } = mount;
  const other = new NodeTable(nodes.buffer, { objects: mount.objects });
  const root = await readRoot(snapshots.store, record);
  const cursor = new NodeCursor();
  const ids = new Set<number>();
  const volumes = new Set<number>();
  equal(nodes.select(ROOT_ID, 0, cursor), false);
  for (let round = 0; round < 50; round++) {
    const id = nodes.addVolume(root);
    ok(id !== ROOT_ID);
    ids.add(id);
    nodes.remember(id);
    ok(nodes.select(id, 0, cursor));
    volumes.add(cursor.volume);
    const child = nodes.open(cursor)!.nodeId(0);
    ok(other.select(child, 0, cursor));
    const leaf = other.open(cursor)!.nodeId(0);
    nodes.remember(child);
    other.remember(leaf);
    equal(nodes.references(leaf), 3);
    nodes.forget(id, 1);
    other.forget(child, 1);
    ok(nodes.select(leaf, 0, cursor));
    deepEqual(nodes.pathOf(leaf), latin("a/b"));
    other.forget(leaf, 1);
    for (const gone of [id, child, leaf]) {
      equal(nodes.select(gone, 0, cursor), false);
    }
    equal(nodes.references(id), 0);
  }
  equal(ids.size, 1, "the memory is used again");
  equal(volumes.size, 50, "the number of a volume is not");
});

Deno.test("NodeTable sees what took the place of a volume in all workers", async () => {
  const store = new HostileStore();
  const one = store.directory([{ name: "one", content: "1" }]);
  const two = store.directory([{ name: "second", content: "2" }]);
  const { snapshots, record } = await store.write(new MemoryStore(), one);
  const other = {
    tree: idFromBytes(two.tree),
    page: idFromBytes(two.page),
  };
  const { nodes } = await testMount(snapshots.store, undefined, {
    isAll: true,
  });
  const cursor = new NodeCursor();
  const worker = new NodeTable(nodes.buffer);
  const id = nodes.addVolume(await readRoot(snapshots.store, record));
  nodes.remember(id);
  ok(worker.select(id, 0, cursor));
  deepEqual(cursor.tree.name(0).slice(), latin("one"));
  nodes.forget(id, 1);
  equal(nodes.addVolume(await readRoot(snapshots.store, other)), id);
  ok(worker.select(id, 0, cursor));
  deepEqual(cursor.tree.name(0).slice(), latin("second"));
});

Deno.test("NodeTable lets two workers walk one tree at once", async () => {
  using folder = new TemporaryFolder();
  const tree = folder.join("tree");
  for (let i = 0; i < 40; i++) {
    mkdirSync(`${tree}/d${i}/e/f`, { recursive: true });
    for (let j = 0; j < 10; j++) {
      writeFileSync(`${tree}/d${i}/e/n${j}`, `${i} ${j} `.repeat(2000));
    }
  }
  const store = await makeFileStore(folder.join("store"), SMALL_SETTINGS);
  await using snapshots = await open(store);
  const { record } = await saveAndCompare(snapshots, tree);
  const nodes = NodeTable.create({ sizeMax: 64 << 20 });
  nodes.addVolume(await readRoot(store, record!));
  const task: WalkTask = {
    nodes: nodes.buffer,
    cache: SharedFrameCache.create({ sizeMax: 4 << 20 }).buffer,
    tables: (await listTables(store)).buffer,
    prefix: `${folder.join("store")}/`,
    start: new SharedArrayBuffer(4),
  };
  const workers = [0, 1].map(() => startWorker(WALK_WORKER));
  const outcomes = await Promise.all(workers.map((worker) => {
    const { promise, resolve, reject } = Promise.withResolvers<WalkOutcome>();
    worker.onMessage((outcome) => resolve(outcome as WalkOutcome));
    worker.onError(reject);
    worker.postMessage(task);
    return promise;
  }));
  await Promise.all(workers.map((worker) => worker.end()));
  deepEqual(outcomes[0], outcomes[1]);
  equal(outcomes[0].ids.length, record!.totals.entryCount + 1);
  equal(new Set(outcomes[0].ids).size, outcomes[0].ids.length);
  equal(outcomes[0].byteCount, record!.totals.byteCount);
});

Deno.test("NodeTable waits for the worker that loads, and loads itself after it failed", async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("tree", "below"), { recursive: true });
  writeFileSync(folder.join("tree", "below", "file"), "text");
  const store = await makeFileStore(folder.join("store"));
  await using snapshots = await open(store);
  const { record } = await saveAndCompare(snapshots, folder.join("tree"));
  const { buffer } = NodeTable.create({ sizeMax: 1 << 20 });
  const nodes = new NodeTable(buffer);
  nodes.addVolume(await readRoot(store, record!));
  const cursor = new NodeCursor();
  ok(nodes.select(ROOT_ID, 0, cursor));
  const below = nodes.open(cursor)!.nodeId(0);
  // As if this thread had begun to load the directory.
  const words = new Int32Array(buffer);
  const before = Atomics.exchange(words, 2 * below + 1, 1);
  const start = new SharedArrayBuffer(4);
  Atomics.store(new Int32Array(start), 0, 1);
  const worker = startWorker(WALK_WORKER);
  const { promise, resolve, reject } = Promise.withResolvers<WalkOutcome>();
  worker.onMessage((outcome) => resolve(outcome as WalkOutcome));
  worker.onError(reject);
  worker.postMessage(
    {
      nodes: buffer,
      cache: SharedFrameCache.create({ sizeMax: 1 }).buffer,
      tables: (await listTables(store)).buffer,
      prefix: `${folder.join("store")}/`,
      start,
    } satisfies WalkTask,
  );
  // Somebody waits on the word when there is somebody to wake.
  while (Atomics.notify(words, 2 * below + 1) === 0) {
    await new Promise((done) => setTimeout(done, 1));
  }
  Atomics.store(words, 2 * below + 1, before);
  Atomics.notify(words, 2 * below + 1);
  const { ids, byteCount } = await promise;
  deepEqual([ids.length, byteCount], [3, 4]);
  await worker.end();
});
