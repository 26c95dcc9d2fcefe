import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { wasmHasher } from "@snap/hash";
import { noneCodec } from "@snap/pack/none-codec";
import { FrameBuilder } from "@snap/pack/frame-builder";
import { ObjectKind, PackRole } from "@snap/pack/object-kind";
import { openStoreReader } from "@snap/pack/store-reader";
import { StoreError, type StoreOptions, type WriteStore } from "@snap/store";
import { MemoryStore } from "@snap/store/memory-store";
import { FaultStore } from "@snap/store/testing";
import {
  namesIn,
  noise,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { nextTurn } from "./_next_turn.ts";
import { PackCollector } from "./_pack_collector.ts";
import { type FinishedPackFile, PackFiles } from "./_pack_files.ts";
import { LocalIndexFiles } from "./_spool.ts";

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
    onPack: (pack) => packs.push(pack),
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
  signal?: AbortSignal,
): PackCollector {
  return new PackCollector({
    store,
    signal,
    settings: SMALL_SETTINGS,
    hasher: wasmHasher,
    saveId: SAVE_ID,
    random,
    now: Date.now,
    indexByteCount: 2 ** 30,
    spoolPath: folder.join("joined"),
    index: new LocalIndexFiles(store),
    onError: (error) => errors.push(error),
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
  await collector.writeIndex("data");
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
  using collector = collectorOf(folder, new SlowStore(), errors, signal);
  for (const pack of makePacks(folder, 2, 20_000)) collector.add(pack);
  const finished = collector.finish();
  const reason = new Error("Enough");
  controller.abort(reason);
  await nextTurn();
  deepEqual(errors, []);
  await finished;
  deepEqual(errors, [reason, reason]);
});

function filesIn(folder: TemporaryFolder): string[] {
  return [...Deno.readDirSync(join(folder.path))].map(({ name }) => name);
}
