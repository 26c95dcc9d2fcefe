// Saves onto disks that are full or read-only.
import { deepEqual, equal, ok } from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { save } from "@snap/save";
import { formatSettings, initStore } from "@snap/store/format";
import { StoreError } from "@snap/store";
import { type FileStore, openFileStore } from "@snap/store/file";
import { makeSource, saveInto } from "./_faults.ts";
import { LATER, saveAndCompare } from "./_saves.ts";
import {
  type Entry,
  leftovers,
  makeFileStore,
  open,
  readDisk,
  readEverything,
  readSnapshot,
  sameEntries,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "./_snapshots.ts";
import {
  canMount,
  mountTmpfs,
  remountReadOnly,
  resizeTmpfs,
  unmount,
} from "./_tmpfs.ts";

const ignore = !canMount();

for (const workers of [0, 2]) {
  Deno.test(`save survives a full disk at every size: ${workers} workers`, {
    ignore,
  }, async () => {
    using folder = new TemporaryFolder();
    const source = folder.join("source");
    makeSource(source);
    let failed = 0;
    for (let size = 64, isDone = false; !isDone; failed++) {
      const disk = folder.join("disk");
      mountTmpfs(disk, `${size}k`);
      try {
        isDone = await saveOnto(disk, source, workers);
      } finally {
        unmount(disk);
      }
      size += workers === 0 ? 52 : 148;
    }
    ok(failed > 4, `${failed} saves failed`);
  });
}

/** Saves onto a small disk; tells whether it was large enough. */
async function saveOnto(
  disk: string,
  source: string,
  workers: number,
): Promise<boolean> {
  let store: FileStore;
  try {
    store = await openFileStore(join(disk, "store"), { create: true });
    await initStore(store, formatSettings(SMALL_SETTINGS));
  } catch (error) {
    ok(error instanceof StoreError);
    return false;
  }
  const error = await saveInto(store, source, { ...LATER, workers });
  deepEqual(leftovers(store), []);
  await using snapshots = await open(store);
  const count = await readEverything(snapshots);
  equal(count, error === undefined ? 1 : 0);
  if (error === undefined) return true;
  ok(error instanceof StoreError, String(error));
  equal(error.code, "ENOSPC");
  // With room again, the next save is whole.
  resizeTmpfs(disk, "20m");
  await saveAndCompare(snapshots, source, { ...LATER, workers });
  return false;
}

Deno.test("save says that a store is read-only", { ignore }, async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeSource(source);
  const disk = folder.join("disk");
  mountTmpfs(disk, "10m");
  try {
    const store = await makeFileStore(join(disk, "store"), SMALL_SETTINGS);
    await using snapshots = await open(store);
    const first = await save(snapshots, source, LATER);
    remountReadOnly(disk);
    writeFileSync(join(source, "new"), "new");
    for (const workers of [0, 2]) {
      const error = await saveInto(store, source, { ...LATER, workers });
      ok(error instanceof StoreError, String(error));
      equal(error.code, "EROFS");
    }
    rmSync(join(source, "new"));
    const before = await readSnapshot(snapshots, first.record!);
    // The time of the directory is another now.
    sameEntries(new Map([...before, root(source)]), readDisk(source));
  } finally {
    unmount(disk);
  }
});

/** The directory itself, as it is now. */
function root(source: string): [string, Entry] {
  return ["", readDisk(source).get("")!];
}
