// The order in which a save makes things durable, and what it leaves open and behind.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { StoreError, type StoreOptions } from "@snap/store";
import { MemoryStore } from "@snap/store/memory";
import { formatSettings, initStore } from "@snap/store/format";
import { FaultStore } from "@snap/store/testing";
import {
  leftovers,
  makeFileStore,
  namesIn,
  noise,
  open,
  openFilesIn,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { save } from "./save.ts";

/** A later moment: all files are old enough for their times to be believed. */
const LATER = { now: () => Date.now() + 60_000 };

/** A store that writes down what is made in it, also by `adopt`. */
class Recorded extends MemoryStore {
  readonly log: string[] = [];
  /** Called when all packs and tables are to be made durable. */
  onSync: () => Promise<void> = () => Promise.resolve();

  override async create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    const created = await super.create(name, bytes, options);
    this.log.push(`create ${name.split("/")[0]}`);
    return created;
  }

  override async sync(
    prefixes: string[],
    options?: StoreOptions,
  ): Promise<void> {
    this.log.push(`sync ${prefixes.join(" ")}`);
    await this.onSync();
    await super.sync(prefixes, options);
  }
}

async function recorded() {
  const store = new Recorded();
  await initStore(store, formatSettings(SMALL_SETTINGS));
  const snapshots = await open(store);
  store.log.length = 0;
  return { store, snapshots };
}

function makeSource(folder: TemporaryFolder): string {
  const source = folder.join("source");
  mkdirSync(`${source}/sub`, { recursive: true });
  for (let i = 0; i < 40; i++) {
    writeFileSync(`${source}/sub/${i}`, noise(2000, i + 1));
  }
  return source;
}

Deno.test("a save stores packs, then the index, makes both durable, then writes the record", async () => {
  using folder = new TemporaryFolder();
  const source = makeSource(folder);
  const { store, snapshots } = await recorded();
  await using _ = snapshots;
  await save(snapshots, source, LATER);
  const steps = store.log.filter((step, i) => step !== store.log[i - 1]);
  deepEqual(steps, [
    "create leases",
    "create packs",
    "create index",
    "sync packs/ index/",
    "create snapshots",
  ]);
});

Deno.test("a save of what is unchanged reads no file, and stores nothing", async () => {
  using folder = new TemporaryFolder();
  const source = makeSource(folder);
  const { store, snapshots } = await recorded();
  await using _ = snapshots;
  const first = await save(snapshots, source, LATER);
  equal(first.progress.readFileCount, 40);
  store.log.length = 0;
  const again = await save(snapshots, source, LATER);
  equal(again.progress.readFileCount, 0);
  equal(again.isNewRecord, false);
  deepEqual(store.log.filter((step) => !step.startsWith("sync")), [
    "create leases",
  ]);
});

Deno.test("a dry run of a save asks nothing of a store that would write", async () => {
  using folder = new TemporaryFolder();
  const source = makeSource(folder);
  const { store, snapshots } = await recorded();
  await using _ = snapshots;
  const { progress } = await save(snapshots, source, {
    ...LATER,
    dryRun: true,
  });
  equal(progress.readFileCount, 40);
  deepEqual(store.log, []);
});

/** A store that takes so many packs and then is full. */
class FillingStore extends MemoryStore {
  packCountMax = Infinity;

  override async adopt(
    name: string,
    path: string,
    options?: StoreOptions,
  ): Promise<boolean> {
    if (name.startsWith("packs/") && this.packCountMax-- <= 0) {
      const fields = { code: "ENOSPC", action: "adopt" } as const;
      throw new StoreError("Cannot adopt", fields);
    }
    return await super.adopt(name, path, options);
  }
}

Deno.test("the packs of a save that fails are told of, and the next save uses them", async () => {
  using folder = new TemporaryFolder();
  const source = makeSource(folder);
  const store = new FillingStore();
  await initStore(store, formatSettings(SMALL_SETTINGS));
  await using snapshots = await open(store);
  store.packCountMax = 2;
  await rejects(save(snapshots, source, LATER), { code: "ENOSPC" });
  const packs = await namesIn(store, "packs/");
  equal(packs.length, 2);
  equal((await namesIn(store, "index/")).length, 1);
  store.packCountMax = Infinity;
  const { storedByteCount } = await save(snapshots, source, LATER);
  const other = await recorded();
  await using fresh = other.snapshots;
  const whole = await save(fresh, source, LATER);
  let rescued = 0;
  for (const pack of packs) rescued += (await store.size(pack))!;
  // Packs and tables have heads of their own.
  ok(rescued > 10_000);
  ok(storedByteCount < whole.storedByteCount - rescued + 5000);
});

Deno.test("a save fails when what it stored cannot be made durable", async () => {
  using folder = new TemporaryFolder();
  const source = makeSource(folder);
  const { store, snapshots } = await recorded();
  await using _ = snapshots;
  const fields = { code: "EIO", action: "sync" } as const;
  store.onSync = () => Promise.reject(new StoreError("Cannot sync", fields));
  await rejects(save(snapshots, source, LATER), { code: "EIO" });
  deepEqual(await namesIn(store, "snapshots/"), []);
});

Deno.test("a save leaves nothing open and nothing behind, whichever call of the store fails", async () => {
  using folder = new TemporaryFolder();
  const source = makeSource(folder);
  const path = folder.join("store");
  const inner = await makeFileStore(path, SMALL_SETTINGS);
  let isDone = false;
  for (let call = 1; !isDone; call++) {
    ok(call < 200);
    const store = new FaultStore(inner, { at: [{ call, fault: "error" }] });
    try {
      await using snapshots = await open(store);
      await save(snapshots, source, { ...LATER, readAll: true });
      isDone = true;
    } catch (error) {
      ok(error instanceof StoreError, `call ${call}: ${error}`);
      equal(error.code, "EIO");
    }
    deepEqual(openFilesIn(folder.path), [], `call ${call}`);
    deepEqual(leftovers(inner), [], `call ${call}`);
    if (!isDone) deepEqual(await namesIn(inner, "snapshots/"), []);
  }
  await using snapshots = await open(inner);
  const { progress } = await save(snapshots, source, LATER);
  equal(progress.readFileCount, 0);
});
