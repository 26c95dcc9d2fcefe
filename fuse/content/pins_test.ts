// What a request holds of the shared cache is given back, whatever becomes of the request.
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { type FrameCache, SharedFrameCache } from "@snap/pack/cache";
import { save } from "@snap/save";
import { View } from "@snap/snapshot/view";
import { latin } from "../../tests/_hostile_store.ts";
import {
  makeMemorySnapshots,
  noise,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { filesOf, testMount, TestRanges } from "../_testing.ts";
import { Pieces } from "../device/pieces.ts";

/** A cache that counts the pins which its user has not given back. */
function counting(cache: FrameCache): {
  readonly cache: FrameCache;
  readonly pins: () => number;
  readonly taken: () => number;
} {
  let pins = 0, taken = 0;
  const count = (slot: number): number => {
    if (slot >= 0) pins++, taken++;
    return slot;
  };
  return {
    pins: () => pins,
    taken: () => taken,
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

/** A large file in a mount over files in memory, and a look at what is pinned. */
async function scene() {
  using folder = new TemporaryFolder();
  const content = noise(100_000, 1);
  writeFileSync(folder.join("large"), content);
  const snapshots = await makeMemorySnapshots(SMALL_SETTINGS);
  const { record } = await save(snapshots, folder.path);
  await snapshots.refresh();
  const view = await View.open(snapshots, record);
  const { idBytes: id, size } = (await view.lookup(latin("large")))!;
  const files = await filesOf(snapshots.store);
  const ranges = new TestRanges(files);
  const counted = counting(SharedFrameCache.create({ sizeMax: 1 }));
  const { cache, pins } = counted;
  const { store } = snapshots;
  const { contents } = await testMount(store, record, { cache, ranges });
  const pieces = new Pieces();
  return {
    ...counted,
    files,
    ranges,
    collect(): boolean {
      pieces.clear();
      return contents.collect(id, 0, size, 0, size, pieces);
    },
    release(): void {
      contents.release();
      equal(pins(), 0);
    },
    check(): void {
      const views = pieces.views.slice(0, pieces.count);
      deepEqual(new Uint8Array(Buffer.concat(views)), content);
      ok(pins() > 0);
    },
  };
}

Deno.test("a read that waits for bytes gives all pins back each time", async () => {
  const { ranges, collect, release, check } = await scene();
  ranges.isLate = true;
  let rounds = 0;
  for (; !collect(); rounds++) {
    ok(rounds < 100);
    release();
    ranges.deliver();
  }
  ok(rounds > 1);
  check();
  release();
});

Deno.test("a read that fails gives all pins back, and is answered once the damage has healed", async () => {
  const { files, taken, collect, release, check } = await scene();
  const sound = new Map(files);
  for (const [name, bytes] of sound) {
    if (!name.startsWith("packs/")) continue;
    files.set(name, bytes.map((byte, i) => i > 80 ? byte ^ 1 : byte));
  }
  for (let i = 0; i < 3; i++) {
    throws(collect);
    release();
  }
  ok(taken() > 0);
  for (const [name, bytes] of sound) files.set(name, bytes);
  equal(collect(), true);
  check();
  release();
});
