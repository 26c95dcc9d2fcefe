import { deepEqual, equal, ok } from "node:assert/strict";
import { join } from "node:path";
import { wasmHasher } from "@snap/hash";
import { noneCodec } from "@snap/pack/none-codec";
import { FrameBuilder } from "@snap/pack/frame-builder";
import { ObjectKind, PackRole } from "@snap/pack/object-kind";
import { openStoreReader } from "@snap/pack/store-reader";
import type { WriteStore } from "@snap/store";
import { MemoryStore } from "@snap/store/memory-store";
import {
  namesIn,
  noise,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
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
): PackCollector {
  return new PackCollector({
    store,
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
  const collector = collectorOf(folder, store, errors);
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

function filesIn(folder: TemporaryFolder): string[] {
  return [...Deno.readDirSync(join(folder.path))].map(({ name }) => name);
}
