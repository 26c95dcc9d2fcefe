// What a save has to do with those who remove packs.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { OvertakenError } from "@snap/pack";
import { recordStands } from "@snap/snapshot/records";
import { verify } from "@snap/snapshot/verify";
import { formatSettings, initStore } from "@snap/store/format";
import { StoreError, type StoreOptions } from "@snap/store";
import { MemoryStore } from "@snap/store/memory";
import {
  appendStep,
  createVoid,
  listLeases,
  markBadPack,
  readLease,
  readRound,
  type RoundStep,
} from "@snap/store/removal";
import {
  namesIn,
  noise,
  open,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { save } from "./save.ts";

/** A later moment: all files are old enough for their times to be believed. */
const LATER = { now: () => Date.now() + 60_000, host: "here", program: "p" };
const PRUNER = { saveId: new Uint8Array(16).fill(0xcd) };

/** A store in which something happens when a name is made or listed. */
class WatchedStore extends MemoryStore {
  readonly log: string[] = [];
  mayRemove = true;
  onCreate: (name: string) => Promise<void> = () => Promise.resolve();

  override async create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    const { onCreate } = this;
    this.log.push(`create ${name.split("/")[0]}`);
    if (!name.startsWith("gc/")) await onCreate(name);
    return await super.create(name, bytes, options);
  }

  override async *list(
    prefix: string,
    options?: StoreOptions,
  ): ReturnType<MemoryStore["list"]> {
    this.log.push(`list ${prefix.split("/")[0]}`);
    yield* super.list(prefix, options);
  }

  override async remove(name: string, options?: StoreOptions): Promise<void> {
    if (this.mayRemove) return await super.remove(name, options);
    const fields = { code: "EACCES", action: "remove" } as const;
    throw new StoreError("Cannot remove", fields);
  }
}

/** Appends steps as whoever removes packs does. */
async function append(
  store: MemoryStore,
  ...steps: RoundStep[]
): Promise<void> {
  for (const step of steps) {
    const { number } = await readRound(store);
    equal(await appendStep(store, number + 1, step, PRUNER), "appended");
  }
}

function idOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

async function makeScene(folder: TemporaryFolder) {
  const source = folder.join("source");
  mkdirSync(source);
  writeFileSync(`${source}/large`, noise(300_000, 1));
  for (let i = 0; i < 5; i++) {
    writeFileSync(`${source}/${i}`, noise(3000, i + 2));
  }
  const store = new WatchedStore();
  await initStore(store, formatSettings(SMALL_SETTINGS));
  const snapshots = await open(store);
  return { source, store, snapshots };
}

Deno.test("a save has a lease before it looks at anything, and none at its end", async () => {
  using folder = new TemporaryFolder();
  const { source, store, snapshots } = await makeScene(folder);
  await using _ = snapshots;
  store.log.length = 0;
  let holder: unknown;
  store.onCreate = async (name) => {
    if (!name.startsWith("snapshots/")) return;
    const [id] = (await listLeases(store)).keys();
    const { time: _time, ...fields } = (await readLease(store, id))!;
    holder = fields;
  };
  await save(snapshots, source, LATER);
  deepEqual(holder, { host: "here", program: "p", action: "save" });
  equal(store.log[0], "create leases");
  const written = store.log.lastIndexOf("create snapshots");
  deepEqual(
    store.log.slice(written).filter((one) => one === "list gc").length,
    1,
  );
  deepEqual(await listLeases(store), new Map());
});

Deno.test("a dry run has no lease, and a save that fails ends its own", async () => {
  using folder = new TemporaryFolder();
  const { source, store, snapshots } = await makeScene(folder);
  await using _ = snapshots;
  store.log.length = 0;
  await save(snapshots, source, { ...LATER, dryRun: true });
  deepEqual(store.log.filter((one) => one.startsWith("create")), []);
  store.onCreate = (name) =>
    name.startsWith("snapshots/")
      ? Promise.reject(new Error("enough"))
      : Promise.resolve();
  await rejects(save(snapshots, source, LATER), { message: "enough" });
  deepEqual(await listLeases(store), new Map());
});

for (const mayRemove of [true, false]) {
  const what = mayRemove
    ? "takes its record back"
    : "says so where it may only add";
  Deno.test(`a save that slept over a round ${what}`, async () => {
    using folder = new TemporaryFolder();
    const { source, store, snapshots } = await makeScene(folder);
    await using _ = snapshots;
    store.mayRemove = mayRemove;
    store.onCreate = async (name) => {
      if (!name.startsWith("snapshots/")) return;
      const [id] = (await listLeases(store)).keys();
      await append(store, { step: "suspects", saves: [id] });
      await createVoid(store, id, 1, PRUNER);
    };
    await rejects(save(snapshots, source, LATER), OvertakenError);
    const left = mayRemove ? 0 : 1;
    equal((await namesIn(store, "snapshots/")).length, left);
    const leases = await listLeases(store);
    deepEqual(
      Array.from(leases.values(), ({ isOver }) => isOver),
      Array(left).fill(true),
    );
  });
}

Deno.test("what a save has found to stand is not taken back by the one that has written it", async () => {
  using folder = new TemporaryFolder();
  const { source, store, snapshots } = await makeScene(folder);
  await using _ = snapshots;
  store.onCreate = async (name) => {
    if (!name.startsWith("snapshots/")) return;
    const [id] = (await listLeases(store)).keys();
    await append(store, { step: "suspects", saves: [id] });
  };
  // The round has found the record, and ends; then another save says the same.
  const saveAgain = async () => {
    store.onCreate = () => Promise.resolve();
    await append(store, { step: "done" });
    await using others = await open(store);
    return await save(others, source, LATER);
  };
  let again: ReturnType<typeof saveAgain> | undefined;
  const { remove } = store;
  store.remove = async (...args) => {
    if (args[0].startsWith("snapshots/")) await (again ??= saveAgain());
    await remove.apply(store, args);
  };
  await rejects(save(snapshots, source, LATER), OvertakenError);
  const { record, isNewRecord } = await (again ??= saveAgain());
  equal(isNewRecord, false);
  ok(await recordStands(store, record));
});

Deno.test("a record that is forgotten while a save finds nothing new is written again", async () => {
  using folder = new TemporaryFolder();
  const { source, store, snapshots } = await makeScene(folder);
  await using _ = snapshots;
  await save(snapshots, source, LATER);
  const [first] = await namesIn(store, "snapshots/");
  const { sync } = store;
  store.sync = async (...args) => {
    await sync.apply(store, args);
    await store.remove(first);
  };
  const again = await save(snapshots, source, LATER);
  store.sync = sync;
  equal(again.isNewRecord, true);
  equal(again.progress.newByteCount, 0);
  equal((await namesIn(store, "snapshots/")).length, 1);
  equal((await save(snapshots, source, LATER)).isNewRecord, false);
});

Deno.test("what lies in packs that are being removed is stored again, and read meanwhile", async () => {
  using folder = new TemporaryFolder();
  const { source, store, snapshots } = await makeScene(folder);
  await using _ = snapshots;
  const first = await save(snapshots, source, LATER);
  const old = await namesIn(store, "packs/");
  await append(store, { step: "condemned", packs: old.map(idOf) });
  const again = await save(snapshots, source, LATER);
  equal(again.isNewRecord, true);
  equal(again.id, first.id);
  equal(again.progress.newByteCount, first.progress.newByteCount);
  for (const name of old) await store.remove(name);
  await append(store, { step: "done" });
  deepEqual(
    (await verify(snapshots, { data: true })).damages.filter(
      ({ subject }) => subject !== "index",
    ),
    [],
  );
});

Deno.test("the chunks of a recipe that is there are looked up", async () => {
  using folder = new TemporaryFolder();
  const { source, store, snapshots } = await makeScene(folder);
  await using _ = snapshots;
  const first = await save(snapshots, source, LATER);
  // The data packs go, the recipe stays: as where it lies beside live trees.
  const large = await namesIn(store, "packs/");
  const sizes = await Promise.all(large.map((name) => store.size(name)));
  const data = large.filter((_, i) => sizes[i]! > 10_000);
  await append(store, { step: "condemned", packs: data.map(idOf) });
  const again = await save(snapshots, source, LATER);
  ok(again.progress.newByteCount >= 300_000);
  ok(again.progress.newByteCount <= first.progress.newByteCount);
});

Deno.test("what lies in a pack that is known to be damaged is stored again", async () => {
  using folder = new TemporaryFolder();
  const { source, store, snapshots } = await makeScene(folder);
  await using _ = snapshots;
  const { progress } = await save(snapshots, source, LATER);
  for (const name of await namesIn(store, "packs/")) {
    await markBadPack(store, idOf(name), { ...PRUNER, reason: "rot" });
  }
  const again = await save(snapshots, source, LATER);
  equal(again.progress.newByteCount, progress.newByteCount);
  const third = await save(snapshots, source, LATER);
  equal(third.progress.newByteCount, 0);
});

Deno.test("a record that is void is no parent", async () => {
  using folder = new TemporaryFolder();
  const { source, store, snapshots } = await makeScene(folder);
  await using _ = snapshots;
  const first = await save(snapshots, source, LATER);
  await createVoid(store, first.record.writer, 1, PRUNER);
  const again = await save(snapshots, source, LATER);
  equal(again.isNewRecord, true);
  equal(again.progress.readFileCount, 6);
});
