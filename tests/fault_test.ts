// Saves whose store fails, at every call and in every way: an error, no record,
// nothing left behind, and the next save is whole.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { save, type SaveOptions } from "@snap/snapshot/save";

import { StoreError } from "@snap/store";
import { type FileStore, openFileStore } from "@snap/store/file-store";
import { initStore } from "@snap/store/store-config";
import { type Fault, FaultStore } from "@snap/store/testing";
import { formatSettings } from "@snap/snapshot/settings";
import type { WriteStore } from "@snap/store";
import {
  type Entry,
  leftovers,
  makeFileStore,
  makeMemorySnapshots,
  namesIn,
  noise,
  open,
  readDisk,
  readEverything,
  readSnapshot,
  sameEntries,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "./_snapshots.ts";
import { LATER, saveAndCompare } from "./_saves.ts";

/** Enough for several batches, several packs and a recipe. */
function makeSource(path: string): void {
  mkdirSync(path, { recursive: true });
  for (let i = 0; i < 600; i++) {
    mkdirSync(join(path, `${i % 5}`), { recursive: true });
    writeFileSync(join(path, `${i % 5}`, `${i}`), noise(200 + i, i + 1));
  }
  writeFileSync(join(path, "large"), noise(150_000, 7));
}

/** Whatever fails, what is in the store is whole, and nothing lies about. */
async function checkAfter(store: FileStore, source: string): Promise<void> {
  deepEqual(leftovers(store), []);
  await using snapshots = await open(store);
  await readEverything(snapshots);
  await saveAndCompare(snapshots, source, LATER);
  deepEqual(leftovers(store), []);
}

async function recordCount(store: WriteStore): Promise<number> {
  return (await namesIn(store, "snapshots/")).length;
}

interface Round {
  readonly workers: number;
  readonly faults: readonly Fault[];
  /** Whether there is a snapshot already, and one file is new. */
  readonly isSecond: boolean;
}

const ROUNDS: readonly Round[] = [
  { workers: 0, faults: ["error", "full", "gone", "lost"], isSecond: false },
  { workers: 0, faults: ["gone", "lost"], isSecond: true },
  { workers: 2, faults: ["error"], isSecond: false },
];

for (const { workers, faults, isSecond } of ROUNDS) {
  const title = `${faults.join(", ")}; ${workers} workers, ${
    isSecond ? "second" : "first"
  } save`;
  Deno.test(`save survives every call of the store that fails: ${title}`, async () => {
    using folder = new TemporaryFolder();
    const source = folder.join("source");
    makeSource(source);
    let failed = 0;
    for (const fault of faults) {
      for (let call = 1;; call++) {
        const path = folder.join("store");
        const store = await makeFileStore(path, SMALL_SETTINGS);
        if (isSecond) {
          await using snapshots = await open(store);
          await save(snapshots, source, LATER);
          writeFileSync(join(source, "new"), noise(5000, call + 1000));
        }
        const before = await recordCount(store);
        const faulty = new FaultStore(store, { at: [{ call, fault }] });
        const error = await saveInto(faulty, source, { ...LATER, workers });
        if (error !== undefined) {
          failed++;
          ok(error instanceof StoreError, `${fault} at ${call}: ${error}`);
          // An answer that was lost: the record may be there.
          if (fault !== "lost") equal(await recordCount(store), before);
        }
        const isDone = faulty.calls < call;
        await checkAfter(store, source);
        rmSync(path, { recursive: true });
        if (isDone) break;
      }
    }
    ok(failed >= 5 * faults.length, `${failed} saves failed`);
  });
}

/** Saves, and gives the error. */
async function saveInto(
  store: WriteStore,
  source: string,
  options: SaveOptions,
): Promise<unknown> {
  try {
    await using snapshots = await open(store);
    await save(snapshots, source, options);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** A store of which some workers cannot write their packs. */
function withBadSpool(store: FileStore, bad: number): WriteStore {
  let count = 0;
  return {
    read: store.read.bind(store),
    size: store.size.bind(store),
    list: store.list.bind(store),
    localPath: store.localPath.bind(store),
    create: store.create.bind(store),
    adopt: store.adopt.bind(store),
    sync: store.sync.bind(store),
    spoolPath: async (saveId) => {
      const path = await store.spoolPath(saveId);
      return count++ === bad ? `${path}/no/such/folder` : path;
    },
  };
}

for (const what of ["many small files", "one large file"]) {
  for (const bad of [0, 1, 2, 3]) {
    Deno.test(`save fails with a worker that fails: ${what}, path ${bad}`, async () => {
      using folder = new TemporaryFolder();
      const source = folder.join("source");
      mkdirSync(source);
      if (what === "one large file") {
        writeFileSync(join(source, "large"), noise(36_000_000, 1));
      } else makeSource(source);
      const store = await makeFileStore(folder.join("store"));
      await using snapshots = await open(withBadSpool(store, bad));
      const saving = save(snapshots, source, { workers: 2 });
      // The paths are those of the two workers, this thread's, and the trees'.
      if (bad === 2) await saving;
      else {
        await rejects(saving, (error) => {
          ok(error instanceof StoreError, String(error));
          equal(error.code, "ENOENT");
          return true;
        });
        equal(await recordCount(store), 0);
      }
      await checkAfter(store, source);
    });
  }
}

Deno.test("save hears a signal within a second and throws its reason", async (t) => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeSource(source);
  writeFileSync(join(source, "large1"), noise(60_000_000, 1));
  for (let i = 0; i < 40; i++) {
    writeFileSync(join(source, `mid${i}`), noise(3_000_000, i));
  }
  for (const workers of [0, 1, 2]) {
    for (const files of [0, 1, 300, 640]) {
      await t.step(`${workers} workers, after ${files} files`, async () => {
        const store = await makeFileStore(folder.join(`${workers}-${files}`));
        await using snapshots = await open(store);
        const controller = new AbortController();
        const reason = new Error("Enough");
        let abortedAt = 0;
        const abort = (): void => {
          if (abortedAt > 0) return;
          abortedAt = performance.now();
          controller.abort(reason);
        };
        if (files === 0) setTimeout(abort, 0);
        const saving = save(snapshots, source, {
          workers,
          signal: controller.signal,
          onProgress: ({ fileCount }) => fileCount >= files && abort(),
        });
        await rejects(saving, (error) => error === reason);
        const waited = performance.now() - abortedAt;
        ok(waited < 1000, `It took ${waited} ms`);
        equal(await recordCount(store), 0);
        deepEqual(leftovers(store), []);
        await readEverything(snapshots);
        rmSync(store.path, { recursive: true });
      });
    }
  }
});

Deno.test("save with a signal that was given before does nothing", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeSource(source);
  const store = await makeFileStore(folder.join("store"));
  const names = await namesIn(store);
  await using snapshots = await open(store);
  const reason = new Error("Enough");
  const signal = AbortSignal.abort(reason);
  await rejects(save(snapshots, source, { signal }), (e) => e === reason);
  deepEqual(await namesIn(store), names);
  deepEqual(leftovers(store), []);
});

Deno.test("save keeps finished packs of a save that was stopped", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  mkdirSync(source);
  for (let i = 0; i < 60; i++) {
    writeFileSync(join(source, `${i}`), noise(100_000, i + 1));
  }
  await using snapshots = await makeMemorySnapshots({
    ...SMALL_SETTINGS,
    packSizeTarget: 500_000,
  });
  const controller = new AbortController();
  await rejects(save(snapshots, source, {
    signal: controller.signal,
    onProgress: ({ fileCount }) => {
      if (fileCount >= 41) controller.abort(new Error("Enough"));
    },
  }));
  const whole = 6_000_000;
  const result = await saveAndCompare(snapshots, source, LATER);
  ok(result.storedByteCount < 0.6 * whole, `${result.storedByteCount}`);
});

Deno.test("save resumes what another one had indexed when its store was gone", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  mkdirSync(source);
  for (let i = 0; i < 240; i++) {
    writeFileSync(join(source, `${i}`), noise(100_000, i + 1));
  }
  const settings = { ...SMALL_SETTINGS, packSizeTarget: 10 ** 6 };
  const options = { ...LATER, indexByteCount: 10 ** 6 };
  const whole = new FaultStore(
    await makeFileStore(folder.join("whole"), settings),
  );
  equal(await saveInto(whole, source, options), undefined);

  const store = await makeFileStore(folder.join("store"), settings);
  const call = Math.round(whole.calls * 0.85);
  const dying = new FaultStore(store, { at: [{ call, fault: "gone" }] });
  ok(await saveInto(dying, source, options) instanceof StoreError);
  equal(await recordCount(store), 0);
  await using snapshots = await open(store);
  const result = await saveAndCompare(snapshots, source, options);
  ok(result.storedByteCount < 0.6 * 24_000_000, `${result.storedByteCount}`);
});

/** Mounts a file system of some size, if this process may. */
function mountTmpfs(path: string, size: string): boolean {
  mkdirSync(path, { recursive: true });
  const args = ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path];
  const command = new Deno.Command("mount", { args, stderr: "null" });
  return command.outputSync().success;
}

function unmount(path: string): void {
  new Deno.Command("umount", { args: ["-l", path] }).outputSync();
}

function canMount(): boolean {
  using folder = new TemporaryFolder();
  try {
    if (!mountTmpfs(folder.join("disk"), "64k")) return false;
    unmount(folder.join("disk"));
    return true;
  } catch {
    return false;
  }
}

const ignore = !canMount();

for (const workers of [0, 2]) {
  Deno.test(`save survives a full disk at every size: ${workers} workers`, {
    ignore,
  }, async () => {
    using folder = new TemporaryFolder();
    const source = folder.join("source");
    makeSource(source);
    let failed = 0;
    // The store needs about 450 KiB beside 1 MiB that it keeps in reserve.
    for (let size = 1200; size < 2400; size += workers === 0 ? 56 : 152) {
      const disk = folder.join("disk");
      ok(mountTmpfs(disk, `${size}k`));
      try {
        failed += await saveOnto(disk, source, workers) ? 0 : 1;
      } finally {
        unmount(disk);
      }
    }
    ok(failed > 2 && failed < 20, `${failed} saves failed`);
  });
}

/** Saves onto a small disk; tells whether it was large enough. */
async function saveOnto(
  disk: string,
  source: string,
  workers: number,
): Promise<boolean> {
  const store = await openFileStore(join(disk, "store"), { create: true });
  try {
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
  const remount = ["-o", "remount,size=20m", disk];
  new Deno.Command("mount", { args: remount }).outputSync();
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
    const remount = ["-o", "remount,ro", disk];
    new Deno.Command("mount", { args: remount }).outputSync();
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
