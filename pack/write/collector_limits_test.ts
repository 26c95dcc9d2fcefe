// When packs wait, when an index goes out, when tables are merged: to the byte, the pack and the millisecond.
import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { existsSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { buildIndex } from "@snap/pack/index-writer";
import { FrameBuilder, PackTable } from "@snap/pack/write";
import { ROWS_PER_PAGE } from "@snap/pack/index";
import { noneCodec } from "@snap/pack/codecs";
import { ObjectKind, PackRole } from "@snap/pack";
import { openStoreReader } from "@snap/pack/read";
import { MemoryStore } from "@snap/store/memory";
import { FaultStore } from "@snap/store/testing";
import {
  namesIn,
  noise,
  openFilesIn,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { writeIndexTables } from "./index_tables.ts";
import { PackCollector, type PackCollectorOptions } from "./pack_collector.ts";
import {
  type FinishedPackFile,
  PackFiles,
  type PackFilesOptions,
} from "./pack_files.ts";
import { LocalIndexFiles } from "./local_index_files.ts";

const SAVE_ID = new Uint8Array(16).fill(1);
const TARGET = SMALL_SETTINGS.packSizeTarget;
/** As many objects as an index goes out with. */
const INDEX_OBJECTS = 2 ** 18;
const INDEX_MS = 5 * 60 * 1000;
const random = (size: number): Uint8Array => noise(size, ++seed);
let seed = 1;

function packFiles(
  folder: TemporaryFolder,
  packs: FinishedPackFile[],
  options: Partial<PackFilesOptions> = {},
): PackFiles {
  return new PackFiles({
    spoolPath: folder.join(`pack${seed++}`),
    role: PackRole.data,
    sizeTarget: 1,
    saveId: SAVE_ID,
    random,
    codec: noneCodec,
    hasher: wasmHasher,
    target: { addPack: (pack) => void packs.push(pack) },
    ...options,
  });
}

function idOf(plain: Uint8Array): Uint8Array {
  const id = new Uint8Array(32);
  wasmHasher.hashInto(plain, id);
  return id;
}

/** A finished pack of one small object, or of so many. */
function makePack(
  folder: TemporaryFolder,
  role: PackRole = PackRole.data,
  objectCount = 1,
): FinishedPackFile {
  const packs: FinishedPackFile[] = [];
  const files = packFiles(folder, packs, { role });
  const frame = frameOf(noise(100, ++seed));
  // Of others only the ids matter.
  for (let i = 1; i < objectCount; i++) {
    frame.add(Uint8Array.of(0), noise(32, ++seed), 0, ObjectKind.content);
  }
  files.add(frame);
  return packs[0];
}

function frameOf(...plains: Uint8Array[]): FrameBuilder {
  const frame = new FrameBuilder();
  for (const plain of plains) {
    frame.add(plain, idOf(plain), 0, ObjectKind.content);
  }
  return frame;
}

/** What has copies of tables, which a writer would remove when it ends. */
const indexes: LocalIndexFiles[] = [];
Deno.test.afterAll(() => {
  for (const index of indexes) index[Symbol.dispose]();
});

/** A collector of its own store, and what it was told. */
function collecting(
  folder: TemporaryFolder,
  options: Partial<PackCollectorOptions> = {},
) {
  const store = new MemoryStore();
  const errors: unknown[] = [];
  const index = new LocalIndexFiles(options.store ?? store);
  indexes.push(index);
  const collector = new PackCollector({
    store,
    settings: SMALL_SETTINGS,
    hasher: wasmHasher,
    saveId: SAVE_ID,
    random,
    now: () => 0,
    indexByteCount: 2 ** 30,
    spoolSizeMax: 2 ** 30,
    spoolPath: folder.join(`joined${seed++}`),
    index,
    onError: (error) => errors.push(error),
    ...options,
  });
  return { store, errors, collector };
}

Deno.test("a pack waits to be joined below a quarter of the target and up to 16,384 objects", async () => {
  const cases: [string, Partial<FinishedPackFile>, boolean][] = [
    ["just small", { size: TARGET / 4 - 1 }, true],
    ["a quarter of the target", { size: TARGET / 4 }, false],
    ["small, of many objects", { size: 1000, objectCount: 2 ** 14 }, true],
    [
      "small, of too many objects",
      { size: 1000, objectCount: 2 ** 14 + 1 },
      false,
    ],
  ];
  for (const [title, fields, isWaiting] of cases) {
    using folder = new TemporaryFolder();
    const { store, collector } = collecting(folder);
    using _ = collector;
    const pack = { ...makePack(folder), ...fields };
    collector.add(pack);
    equal(existsSync(pack.path), true);
    collector.discard(); // Removes what waits, and nothing that is on its way.
    await collector.finish();
    equal((await namesIn(store, "packs/")).length, isWaiting ? 0 : 1, title);
    deepEqual(readdirSync(folder.path), [], title);
  }
});

Deno.test("the gate is closed while more bytes than the spool may hold are on their way", async () => {
  using folder = new TemporaryFolder();
  const memory = new MemoryStore();
  const ends: PromiseWithResolvers<void>[] = [];
  const store = Object.create(memory, {
    adopt: {
      value: async (name: string, path: string) => {
        const end = Promise.withResolvers<void>();
        ends.push(end);
        await end.promise;
        return await memory.adopt(name, path);
      },
    },
  });
  const { collector } = collecting(folder, { store, spoolSizeMax: 2 * TARGET });
  using _ = collector;
  const word = new Int32Array(collector.gate.buffer);
  const add = () => collector.add({ ...makePack(folder), size: TARGET });
  add();
  add();
  equal(collector.isBehind, false);
  await collector.settled();
  add();
  equal(collector.isBehind, true);
  equal(word[0], 1, "workers wait");
  let isSettled = false;
  const settled = collector.settled().then(() => isSettled = true);
  await new Promise((resolve) => setTimeout(resolve));
  equal(isSettled, false);
  ends[1].resolve();
  await settled;
  equal(word[0], 0);
  for (const end of ends) end.resolve();
  await collector.finish();
});

Deno.test("packs are finished before they are full while a store far away has nothing to do", async () => {
  for (const isFar of [true, false]) {
    using folder = new TemporaryFolder();
    const store = Object.assign(
      new MemoryStore(),
      isFar ? {} : { localPath: (name: string) => name },
    );
    const { collector } = collecting(folder, { store });
    using _ = collector;
    const { gate } = collector;
    const enough = (size: number) => isFar ? size : Infinity;
    equal(gate.sizeEnough, enough(TARGET / 4));
    collector.add({ ...makePack(folder), size: TARGET });
    equal(gate.sizeEnough, Infinity, "one is on its way");
    await collector.finish();
    equal(gate.sizeEnough, enough(TARGET / 4));
    collector.add({ ...makePack(folder), size: 3 * TARGET });
    await collector.finish();
    equal(gate.sizeEnough, enough(4 * TARGET / 8), "of much, larger ones");
  }
});

Deno.test("a pack is finished with as many bytes as are enough at present", () => {
  using folder = new TemporaryFolder();
  const packs: FinishedPackFile[] = [];
  const gate = { sizeEnough: Infinity };
  const files = packFiles(folder, packs, { sizeTarget: TARGET, gate });
  files.add(frameOf(noise(5000, 1)));
  equal(packs.length, 0);
  gate.sizeEnough = 9000;
  files.add(frameOf(noise(1000, 2)));
  equal(packs.length, 0);
  files.add(frameOf(noise(3000, 3)));
  equal(packs.length, 1);
  files.discard();
});

Deno.test("an index goes out with the bytes, the objects or the time that are its limit, and not before", async () => {
  const cases: [string, Partial<FinishedPackFile>, number, boolean][] = [
    ["a byte too few", { size: TARGET - 1 }, 0, false],
    ["as many bytes", { size: TARGET }, 0, true],
    ["an object too few", { objectCount: INDEX_OBJECTS - 1 }, 0, false],
    ["a millisecond too early", {}, INDEX_MS - 1, false],
    ["in time", {}, INDEX_MS, true],
    ["in time, trees alone", { role: PackRole.trees }, INDEX_MS, false],
  ];
  for (const [title, fields, time, isDue] of cases) {
    using folder = new TemporaryFolder();
    let now = 1000;
    const { store, errors, collector } = collecting(folder, {
      indexByteCount: TARGET,
      now: () => now,
    });
    using _ = collector;
    now += time;
    // Far from full, but not small: it goes into the store at once.
    collector.add({ ...makePack(folder), size: TARGET / 4, ...fields });
    await collector.finish();
    await collector.settled();
    deepEqual(errors, [], title);
    equal((await namesIn(store, "index/")).length, isDue ? 1 : 0, title);
  }
});

Deno.test("an index in time is due again only after its time", async () => {
  using folder = new TemporaryFolder();
  let now = 0;
  const { store, collector } = collecting(folder, { now: () => now });
  using _ = collector;
  const add = async () => {
    collector.add({ ...makePack(folder), size: TARGET / 4 });
    await collector.finish();
    return (await namesIn(store, "index/")).length;
  };
  now = INDEX_MS;
  equal(await add(), 1);
  now = 2 * INDEX_MS - 1;
  equal(await add(), 1);
  now++;
  equal(await add(), 2);
});

Deno.test("what an index tells of is told once, trees with all and at the end", async () => {
  using folder = new TemporaryFolder();
  const { store, collector } = collecting(folder);
  using _ = collector;
  const objects = async () => {
    await using reader = await openStoreReader(store, { hasher: wasmHasher });
    const { liveTables } = reader.index.index;
    return liveTables.reduce((sum, { head }) => sum + head.packCount, 0);
  };
  for (const role of [PackRole.data, PackRole.trees]) {
    collector.add({ ...makePack(folder, role), size: TARGET / 4 });
  }
  await collector.finish();
  equal(collector.storedByteCount, TARGET / 2);
  equal(collector.indexByteCount, 0);
  await collector.writeIndex("data");
  equal(await objects(), 1);
  const indexed = collector.indexByteCount;
  ok(indexed > 0);
  await collector.writeIndex("rescue");
  equal(await objects(), 1, "trees are not rescued");
  equal(collector.indexByteCount, indexed);
  await collector.writeIndex("all");
  equal(await objects(), 2);
  await collector.writeIndex("last");
  equal(await objects(), 2);
});

Deno.test("a pack that the store does not take is told once, and not counted", async () => {
  using folder = new TemporaryFolder();
  const store = new FaultStore(new MemoryStore(), {
    at: [{ call: 1, fault: "error" }],
  });
  const { errors, collector } = collecting(folder, { store });
  using _ = collector;
  collector.add({ ...makePack(folder), size: TARGET / 4 });
  collector.add({ ...makePack(folder), size: TARGET / 4 });
  await collector.finish();
  equal(errors.length, 1);
  equal(
    collector.storedByteCount,
    TARGET / 4,
    "what was not stored is not counted",
  );
  await collector.finish();
  equal(errors.length, 1, "told once");
});

Deno.test("small packs that cannot be joined stay until they are discarded, and no file stays open", async () => {
  using folder = new TemporaryFolder();
  const { store, collector } = collecting(folder);
  using _ = collector;
  const packs = [makePack(folder), makePack(folder)];
  for (const pack of packs) collector.add(pack);
  truncateSync(packs[1].path, 80);
  await rejects(collector.finish(), /Cannot join packs/);
  deepEqual(openFilesIn(folder.path), []);
  deepEqual(await namesIn(store), []);
  deepEqual(
    readdirSync(folder.path).length,
    2,
    "both packs, and nothing half joined",
  );
  collector.discard();
  deepEqual(readdirSync(folder.path), []);
});

Deno.test("one small pack of a role is taken as it is", async () => {
  using folder = new TemporaryFolder();
  const { store, collector } = collecting(folder);
  using _ = collector;
  const packs = [makePack(folder), makePack(folder, PackRole.trees)];
  for (const pack of packs) collector.add(pack);
  await collector.finish();
  const names = packs.map(({ id }) => id.toHex());
  const stored = (await namesIn(store, "packs/")).map((name) =>
    name.slice(-64)
  );
  deepEqual(stored.sort(), names.sort());
});

Deno.test("PackFiles finishes a pack at its target, and stays within it when packs are joined", () => {
  using folder = new TemporaryFolder();
  const packs: FinishedPackFile[] = [];
  const sizeTarget = 72 + 300;
  const files = packFiles(folder, packs, { sizeTarget });
  files.add(new FrameBuilder());
  deepEqual(readdirSync(folder.path), [], "nothing is made of nothing");
  files.add(frameOf(noise(299, 1)));
  equal(packs.length, 0);
  files.add(frameOf(noise(1, 2)));
  equal(packs.length, 1, "at the target");
  const [pack] = packs;
  equal(pack.tableOffset, sizeTarget, "all stored bytes are before the table");
  const start = files.writerFor({ ...pack, size: 10 ** 6 });
  equal(packs.length, 1, "a new pack takes one of any size");
  equal(files.writerFor({ ...pack, size: sizeTarget - 72 }), start);
  ok(files.writerFor({ ...pack, size: sizeTarget - 71 }) !== start);
  const counted = files.writerFor({ ...pack, size: 0, objectCount: 2 ** 16 });
  ok(
    files.writerFor({ ...pack, size: 0, objectCount: 2 ** 16 + 1 }) !== counted,
  );
  files.discard();
  files.discard();
  for (const { path } of packs) rmSync(path);
  deepEqual(readdirSync(folder.path), []);
});

/** How many of so many tables, of one pack each, are merged with a new one. */
async function mergeOf(
  folder: TemporaryFolder,
  ...objectCounts: readonly number[]
): Promise<number> {
  const store = new MemoryStore();
  using index = new LocalIndexFiles(store);
  const tableOf = (pack: FinishedPackFile) => ({
    ...pack,
    table: PackTable.decode(pack.table, pack),
  });
  for (const objectCount of objectCounts) {
    const options = {
      saveId: SAVE_ID,
      salt: random(32),
      timeMs: 0,
      hasher: wasmHasher,
    };
    const [table] = buildIndex([
      tableOf(makePack(folder, PackRole.data, objectCount)),
    ], options);
    await store.create(table.name, table.bytes);
    await index.add([table]);
  }
  const { replaced } = await writeIndexTables({
    store,
    hasher: wasmHasher,
    saveId: SAVE_ID,
    random,
    timeMs: 0,
    spoolPath: folder.join("index"),
    packs: [tableOf(makePack(folder))],
    merge: index.files,
  });
  return replaced.length;
}

Deno.test("index tables are merged from eight on, and only with what is of their size", async () => {
  using folder = new TemporaryFolder();
  const ones = (count: number): number[] => Array(count).fill(1);
  for (const [count, merged] of [[7, 0], [8, 8], [9, 9]]) {
    equal(await mergeOf(folder, ...ones(count)), merged);
  }
  // A head and three pages each; the large one has a head and 63, or one more.
  const large = 61 * ROWS_PER_PAGE;
  equal(await mergeOf(folder, ...ones(8), large), 9);
  equal(await mergeOf(folder, ...ones(8), large + 1), 8);
});

Deno.test("index tables that could not be stored leave no file behind", async () => {
  using folder = new TemporaryFolder();
  const store = new FaultStore(new MemoryStore(), {
    at: [{ call: 1, fault: "error" }],
  });
  const pack = makePack(folder);
  rmSync(pack.path);
  await rejects(writeIndexTables({
    store,
    hasher: wasmHasher,
    saveId: SAVE_ID,
    random,
    timeMs: 0,
    spoolPath: folder.join("index"),
    packs: [{ ...pack, table: PackTable.decode(pack.table, pack) }],
    merge: [],
  }));
  deepEqual(readdirSync(folder.path), []);
});

Deno.test("a spooled file is never another's", () => {
  using folder = new TemporaryFolder();
  const packs: FinishedPackFile[] = [];
  const spoolPath = folder.join("same");
  packFiles(folder, packs, { spoolPath }).add(frameOf(noise(10, 1)));
  const second = packFiles(folder, packs, { spoolPath });
  throws(() => second.add(frameOf(noise(10, 2))), { code: "EEXIST" });
});
