import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { noneCodec } from "@snap/pack/codecs";
import { FrameBuilder } from "@snap/pack/write";
import { ObjectKind, PackRole } from "@snap/pack";
import type { IndexFile } from "@snap/pack/index";
import { openIndex, openStoreReader } from "@snap/pack/read";
import {
  type ReadOptions,
  type ReadStore,
  StoreError,
  type StoreOptions,
  type WriteStore,
} from "@snap/store";
import { MemoryStore } from "@snap/store/memory";
import { FaultStore } from "@snap/store/testing";
import { Pacer } from "@snap/posix/pacer";
import {
  namesIn,
  noise,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { StoredObjects } from "./stored_objects.ts";
import { PackCollector, type PackCollectorOptions } from "./pack_collector.ts";
import { type FinishedPackFile, PackFiles } from "./pack_files.ts";
import { LocalIndexFiles } from "./local_index_files.ts";

const SAVE_ID = new Uint8Array(16).fill(1);
const random = (size: number): Uint8Array =>
  crypto.getRandomValues(new Uint8Array(size));

/** Makes finished packs of one object each. */
function makePacks(
  folder: TemporaryFolder,
  count: number,
  size: number,
): FinishedPackFile[] {
  const packs: FinishedPackFile[] = [];
  const files = new PackFiles({
    spoolPath: folder.join("pack"),
    role: PackRole.data,
    sizeTarget: 1,
    saveId: SAVE_ID,
    random,
    codec: noneCodec,
    hasher: wasmHasher,
    target: { addPack: (pack) => void packs.push(pack) },
  });
  const frame = new FrameBuilder();
  for (let i = 0; i < count; i++) {
    const plain = noise(size, i + 1);
    frame.add(plain, idOf(plain), 0, ObjectKind.content);
    files.add(frame);
  }
  return packs;
}

function idOf(plain: Uint8Array): Uint8Array {
  const id = new Uint8Array(32);
  wasmHasher.hashInto(plain, id);
  return id;
}

function collectorOf(
  folder: TemporaryFolder,
  store: WriteStore,
  errors: unknown[],
  options: Partial<PackCollectorOptions> = {},
): PackCollector {
  return new PackCollector({
    store,
    settings: SMALL_SETTINGS,
    hasher: wasmHasher,
    saveId: SAVE_ID,
    random,
    now: Date.now,
    indexByteCount: 2 ** 30,
    spoolSizeMax: 2 ** 30,
    spoolPath: folder.join("joined"),
    index: new LocalIndexFiles(store),
    onError: (error) => errors.push(error),
    ...options,
  });
}

Deno.test("PackCollector joins small packs up to the target", async () => {
  using folder = new TemporaryFolder();
  const store = new MemoryStore();
  const errors: unknown[] = [];
  using collector = collectorOf(folder, store, errors);
  const target = SMALL_SETTINGS.packSizeTarget;
  const size = target / 4 - 400;
  const packs = makePacks(folder, 11, size);
  for (const pack of packs) collector.add(pack);
  deepEqual(await namesIn(store), [], "they wait for each other");
  await collector.finish();
  await collector.writeIndex("last");
  deepEqual(errors, []);
  let count = 0;
  for await (const batch of store.list("packs/")) {
    for (const { size } of batch) {
      count++;
      ok(size <= target, `${size} bytes are above ${target}`);
    }
  }
  equal(count, 3);
  await using reader = await openStoreReader(store, { hasher: wasmHasher });
  for (let i = 0; i < packs.length; i++) {
    const plain = noise(size, i + 1);
    deepEqual(await reader.readObject(idOf(plain), ObjectKind.content), plain);
  }
  deepEqual(filesIn(folder), []);
});

Deno.test("PackCollector keeps packs whose index could not be written", async () => {
  using folder = new TemporaryFolder();
  const memory = new MemoryStore();
  // Three packs, then the index.
  const store = new FaultStore(memory, { at: [{ call: 4, fault: "error" }] });
  const errors: unknown[] = [];
  using collector = collectorOf(folder, store, errors);
  for (const pack of makePacks(folder, 3, 20_000)) collector.add(pack);
  await collector.finish();
  await rejects(collector.writeIndex("last"), StoreError);
  deepEqual(await namesIn(memory, "index/"), []);
  await collector.writeIndex("rescue");
  equal((await namesIn(memory, "index/")).length, 1);
  const stored = collector.storedByteCount;
  await collector.writeIndex("last");
  equal(collector.storedByteCount, stored, "there is nothing left to tell of");
  deepEqual(errors, []);
  deepEqual(filesIn(folder), []);
});

/** A store that takes for ever, and hears signals. */
class SlowStore extends MemoryStore {
  override adopt(
    _name: string,
    _path: string,
    options?: StoreOptions,
  ): Promise<boolean> {
    return new Promise((_resolve, reject) => {
      const signal = options!.signal!;
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }
}

Deno.test("PackCollector waits a moment for what is on its way when it is to end", async () => {
  using folder = new TemporaryFolder();
  const errors: unknown[] = [];
  const controller = new AbortController();
  const { signal } = controller;
  using collector = collectorOf(folder, new SlowStore(), errors, { signal });
  for (const pack of makePacks(folder, 2, 20_000)) collector.add(pack);
  const finished = collector.finish();
  const reason = new Error("Enough");
  controller.abort(reason);
  await new Pacer().turn();
  deepEqual(errors, []);
  await finished;
  deepEqual(errors, [reason, reason]);
});

Deno.test("PackCollector merges index tables while a save runs", async () => {
  using folder = new TemporaryFolder();
  const store = new MemoryStore();
  const errors: unknown[] = [];
  using index = new LocalIndexFiles(store);
  using collector = collectorOf(folder, store, errors, { index });
  const packs = makePacks(folder, 100, 20_000);
  let fileCountMax = 0;
  for (const [i, pack] of packs.entries()) {
    collector.add(pack);
    await collector.finish();
    await collector.writeIndex(i % 2 === 0 ? "data" : "all");
    // All that was stored is found in the tables that are handed out.
    using known = new StoredObjects(
      { indexTables: index.handOut() },
      wasmHasher,
    );
    for (let seen = 0; seen <= i; seen++) {
      const id = idOf(noise(20_000, seen + 1));
      ok(known.has(id, 0, ObjectKind.content), `${seen} after ${i}`);
    }
    ok(index.files.length <= 8, `${index.files.length} tables`);
    const [{ path }] = index.files;
    fileCountMax = Math.max(fileCountMax, readdirSync(dirname(path)).length);
  }
  deepEqual(errors, []);
  ok(fileCountMax <= 24, `${fileCountMax} copies`);
  equal((await namesIn(store, "index/")).length, 100);
  // Also what was merged long ago is known to be, though what had replaced it is not opened.
  const live = await tablesOf(store);
  ok(live.length <= 8, `${live.length} tables count`);
});

Deno.test("PackCollector merges what killed saves have left", async () => {
  using folder = new TemporaryFolder();
  const store = new MemoryStore();
  const errors: unknown[] = [];
  const packs = makePacks(folder, 61, 20_000);
  for (const pack of packs.slice(1)) {
    using collector = collectorOf(folder, store, errors);
    collector.add(pack);
    await collector.finish();
    await collector.writeIndex("rescue");
  }
  using index = new LocalIndexFiles(store);
  await index.add(await tablesOf(store));
  equal(index.files.length, 60);
  using collector = collectorOf(folder, store, errors, { index });
  await collector.writeIndex("last");
  equal((await namesIn(store, "index/")).length, 60, "nothing is new");
  collector.add(packs[0]);
  await collector.finish();
  await collector.writeIndex("last");
  equal((await tablesOf(store)).length, 1);
  deepEqual(errors, []);
});

/** The tables that count. */
async function tablesOf(store: ReadStore): Promise<readonly IndexFile[]> {
  const index = await openIndex(store, { hasher: wasmHasher });
  return index.index.liveTables;
}

function filesIn(folder: TemporaryFolder): string[] {
  return readdirSync(folder.path);
}

Deno.test("LocalIndexFiles takes no table that is shorter than it was listed", async () => {
  const store = new MemoryStore();
  const name = `index/${"0".repeat(64)}`;
  await store.create(name, new Uint8Array(100));
  using index = new LocalIndexFiles(store);
  const short = { name: "StoreError", code: "SHORT" };
  await rejects(index.add([{ name, size: 101 }]), short);
});

Deno.test("LocalIndexFiles copies a large table part by part", async () => {
  const parts: number[] = [];
  class CountedStore extends MemoryStore {
    override async read(
      name: string,
      options?: ReadOptions,
    ): Promise<Uint8Array> {
      parts.push(options!.length!);
      return await super.read(name, options);
    }
  }
  const store = new CountedStore();
  const name = `index/${"0".repeat(64)}`;
  const bytes = new Uint8Array((16 << 20) + 5);
  for (const at of [0, (16 << 20) - 1, 16 << 20, bytes.length - 1]) {
    bytes[at] = at % 251 + 1;
  }
  await store.create(name, bytes);
  using index = new LocalIndexFiles(store);
  await index.add([{ name, size: bytes.length }]);
  deepEqual(parts, [16 << 20, 5]);
  equal(readFileSync(index.files[0].path).compare(bytes), 0);
});
