// Reads of a mount where each range fails once, or comes damaged once, and is sound again then.
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { DamageError, ObjectNotFoundError } from "@snap/pack";
import { type FrameCache, SharedFrameCache } from "@snap/pack/cache";
import { HeapFrameCache } from "@snap/pack/read";
import { save } from "@snap/save";
import { View, type ViewEntry } from "@snap/snapshot/view";
import { StoreError } from "@snap/store";
import { latin } from "../../tests/_hostile_store.ts";
import {
  makeMemorySnapshots,
  namesIn,
  noise,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { filesOf, type TestMount, testMount, TestRanges } from "../_testing.ts";
import { WHOLE_SIZE_MAX } from "./file_contents.ts";
import { Pieces } from "../device/pieces.ts";

/** Ranges of which one fails once, or is damaged once. */
class FaultyRanges extends TestRanges {
  count = 0;
  /** Number of the read that fails, from 1. */
  failAt = 0;
  fault: "error" | "damage" = "error";

  override take(
    name: string,
    offset: number,
    length: number,
  ): Uint8Array | undefined {
    const bytes = super.take(name, offset, length);
    if (++this.count !== this.failAt) return bytes;
    if (this.fault === "damage") return bytes?.map((byte) => byte ^ 64);
    throw new StoreError(`Cannot read ${name}`, {
      code: "EIO",
      action: "read",
    });
  }
}

/** A cache that counts the pins that were not given back. */
function counting(
  cache: FrameCache,
): { cache: FrameCache; pins: () => number } {
  let pins = 0;
  const count = (slot: number) => (pins += slot < 0 ? 0 : 1, slot);
  return {
    pins: () => pins,
    cache: {
      find: (...args) => count(cache.find(...args)),
      pin: (...args) => count(cache.pin(...args)),
      unpin: (slot) => (pins--, cache.unpin(slot)),
      isPlain: (slot) => cache.isPlain(slot),
      bytes: (slot) => cache.bytes(slot),
      publish: (slot) => cache.publish(slot),
      fail: (slot) => cache.fail(slot),
      isChecked: (...args) => cache.isChecked(...args),
      setChecked: (...args) => cache.setChecked(...args),
    },
  };
}

function readRange(
  { contents }: TestMount,
  { idBytes: id, size: fileSize }: ViewEntry,
  offset: number,
  size: number,
): Uint8Array {
  const pieces = new Pieces();
  try {
    ok(contents.collect(id, 0, fileSize, offset, size, pieces));
    return new Uint8Array(Buffer.concat(pieces.views.slice(0, pieces.count)));
  } finally {
    contents.release();
  }
}

/** Reads a file in parts, as a kernel does. */
function readAll(mount: TestMount, entry: ViewEntry): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < entry.size; at += 20_000) {
    parts.push(readRange(mount, entry, at, Math.min(20_000, entry.size - at)));
  }
  return new Uint8Array(Buffer.concat(parts));
}

async function saved(folder: TemporaryFolder) {
  const path = folder.join("tree");
  mkdirSync(path, { recursive: true });
  writeFileSync(`${path}/small`, "small");
  writeFileSync(`${path}/large`, noise(60_000, 1));
  truncateSync(`${path}/large`, 100_000);
  const snapshots = await makeMemorySnapshots({
    ...SMALL_SETTINGS,
    codec: "lz4",
  });
  const { record } = await save(snapshots, path);
  await snapshots.refresh();
  return { snapshots, record: record };
}

/** A table whose head is damaged is not looked into, so that nothing is found in it. */
const ERRORS = [StoreError, DamageError, SyntaxError, ObjectNotFoundError];

const caches: Readonly<Record<string, () => FrameCache>> = {
  "no cache": () => new HeapFrameCache({ sizeMax: 0 }),
  "a small cache": () =>
    SharedFrameCache.create({ sizeMax: 1, slotSizes: [16 << 10] }),
  "a cache": () => SharedFrameCache.create(),
};

for (const [name, make] of Object.entries(caches)) {
  for (const fault of ["error", "damage"] as const) {
    Deno.test(`a read with ${fault} is an error once, pins nothing, and is right when asked again: ${name}`, async () => {
      using folder = new TemporaryFolder();
      const { snapshots, record } = await saved(folder);
      await using _ = snapshots;
      const view = await View.open(snapshots, record);
      const files = await filesOf(snapshots.store);
      const entries = [];
      for (const one of ["small", "large"]) {
        const entry = (await view.lookup(latin(one)))!;
        entries.push({ entry, content: await view.read(entry) });
      }
      let errors = 0;
      for (let failAt = 1;; failAt++) {
        ok(failAt < 300);
        const ranges = new FaultyRanges(files);
        const { cache, pins } = counting(make());
        const mount = await testMount(snapshots.store, record, {
          cache,
          ranges,
        });
        ranges.count = 0;
        ranges.failAt = failAt;
        ranges.fault = fault;
        for (const { entry, content } of entries) {
          for (let round = 0; round < 3; round++) {
            try {
              deepEqual(readAll(mount, entry), content, `${failAt}`);
            } catch (error) {
              ok(ERRORS.some((one) => error instanceof one), `${error}`);
              ok(ranges.count >= failAt && round === 0, `${failAt}: ${error}`);
              errors++;
            }
            equal(pins(), 0, `${failAt}`);
          }
        }
        if (ranges.count < failAt) break;
      }
      ok(errors > 0);
    });
  }
}

Deno.test("FileContents reads nothing of an empty range, and whole contents up to 64 MiB", async () => {
  using folder = new TemporaryFolder();
  const { snapshots, record } = await saved(folder);
  await using _ = snapshots;
  const ranges = new FaultyRanges(await filesOf(snapshots.store));
  const mount = await testMount(snapshots.store, record, { ranges });
  const absent = new Uint8Array(32).fill(9);
  ranges.count = 0;
  ok(mount.contents.collect(absent, 0, 0, 0, 0, new Pieces()));
  equal(ranges.count, 0);
  equal(WHOLE_SIZE_MAX, 64 * 1024 * 1024);
  const view = await View.open(snapshots, record);
  const entry = (await view.lookup(latin("small")))!;
  for (const size of [4, 6]) {
    throws(
      () => mount.contents.whole(entry.idBytes, 0, size),
      /it has 5 bytes, and its entry \d/,
    );
  }
  deepEqual(mount.contents.whole(entry.idBytes, 0, 5), latin("small"));
});

Deno.test("a copy that failed is not read again while there is another", async () => {
  using folder = new TemporaryFolder();
  const { snapshots, record } = await saved(folder);
  await using _ = snapshots;
  const again = await saved(folder);
  await using __ = again.snapshots;
  const { store } = snapshots;
  const own = new Set(await namesIn(store, "packs/"));
  for (const [name, bytes] of await filesOf(again.snapshots.store)) {
    if (!name.startsWith("config/")) await store.create(name, bytes);
  }
  const view = await View.open(snapshots, record);
  const entry = (await view.lookup(latin("small")))!;
  const isData = (name: string) => name.startsWith("packs/");
  const files = await filesOf(store);
  for (const broken of ["own", "others"]) {
    const attempts: string[] = [];
    const ranges = new TestRanges(files);
    const read = ranges.take.bind(ranges);
    ranges.take = (name, offset, length) => {
      if (!isData(name)) return read(name, offset, length);
      attempts.push(name);
      if (own.has(name) !== (broken === "own")) {
        return read(name, offset, length);
      }
      const fields = { code: "EIO", action: "read" } as const;
      throw new StoreError(`Cannot read ${name}`, fields);
    };
    const cache = new HeapFrameCache({ sizeMax: 0 });
    const mount = await testMount(store, record, { ranges, cache });
    const counts: number[] = [];
    for (let round = 0; round < 3; round++) {
      attempts.length = 0;
      equal(readRange(mount, entry, 0, 5).length, 5);
      counts.push(attempts.length);
    }
    // Once in vain at most, then from where it is sound, or from memory.
    ok(counts[0] <= 2, `${broken}: ${counts}`);
    deepEqual(counts.slice(1), [0, 0], broken);
  }
});

Deno.test("a pack that is gone, short or damaged is tried once while others hold the same", async () => {
  using folder = new TemporaryFolder();
  const { snapshots, record } = await saved(folder);
  await using _ = snapshots;
  const again = await saved(folder);
  await using __ = again.snapshots;
  const { store } = snapshots;
  const own = await namesIn(store, "packs/");
  for (const [name, bytes] of await filesOf(again.snapshots.store)) {
    if (!name.startsWith("config/")) await store.create(name, bytes);
  }
  const view = await View.open(snapshots, record);
  const entry = (await view.lookup(latin("large")))!;
  const others = (await namesIn(store, "packs/")).filter((name) =>
    !own.includes(name)
  );
  for (const broken of [own, others]) {
    for (const damage of ["gone", "short", "damaged"]) {
      const files = await filesOf(store);
      for (const name of broken) {
        const bytes = files.get(name)!;
        if (damage === "gone") files.delete(name);
        else if (damage === "short") files.set(name, bytes.subarray(0, 80));
        else {files.set(
            name,
            bytes.map((byte, at) => at < 72 ? byte : byte ^ 1),
          );}
      }
      const ranges = new TestRanges(files);
      const cache = new HeapFrameCache({ sizeMax: 0 });
      const mount = await testMount(store, record, { ranges, cache });
      deepEqual(readAll(mount, entry), await view.read(entry));
      for (const name of broken) {
        const count = ranges.reads.filter((one) => one === name).length;
        ok(count <= 1, `${damage}: ${count} reads of a broken pack`);
      }
    }
  }
});
