import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { openSnapshots } from "@snap/snapshot";
import { verify } from "@snap/snapshot/verify";
import {
  finishedSaves,
  formatRecordName,
  type NamedRecord,
} from "@snap/snapshot/records";
import { NotFoundError, type PruneStore } from "@snap/store";
import { encodeDocument } from "@snap/store/format";
import { MemoryStore } from "@snap/store/memory";
import {
  listLeases,
  listVoidSaves,
  markBadPack,
  openLease,
  readRound,
} from "@snap/store/removal";
import { FaultStore } from "@snap/store/testing";
import { ObjectKind } from "@snap/pack";
import {
  contentId,
  noise,
  TestSnapshots,
} from "../../tests/_test_snapshots.ts";
import { checkWhole, pruneStore } from "./_testing.ts";
import { prune } from "./prune.ts";
import { BrokenSnapshotError, NoLeasesError } from "./errors.ts";

const START = Date.parse("2026-11-30T12:00:00Z");
const MINUTE = 60_000;

/** A clock that moves when somebody sleeps. */
class Clock {
  ms: number = START;
  readonly now = (): number => this.ms;
  readonly sleep = (ms: number): Promise<void> => {
    this.ms += ms;
    return Promise.resolve();
  };
}

async function namesOf(store: PruneStore, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const batch of store.list(prefix)) {
    names.push(...batch.map(({ name }) => name));
  }
  return names.sort();
}

async function copyFiles(from: PruneStore, to: PruneStore): Promise<void> {
  for (const name of await namesOf(from, "")) {
    await to.create(name, await from.read(name));
  }
}

async function forget(store: PruneStore, record: NamedRecord): Promise<void> {
  await store.remove(formatRecordName(record));
}

/** A store with two snapshots, the first of which is forgotten. */
async function halfForgotten(): Promise<TestSnapshots> {
  const made = new TestSnapshots();
  await using _ = await made.open();
  const first = await made.save({
    old: { file: noise(1, 3000) },
    both: { file: noise(2, 3000) },
  });
  await made.save({
    both: { file: noise(2, 3000) },
    new: { file: noise(3, 3000) },
  });
  await forget(made.store, first);
  return made;
}

Deno.test("prune removes packs that nothing needs, and keeps the others as they are", async () => {
  const made = new TestSnapshots();
  await using _ = await made.open();
  const first = await made.save({ old: { file: noise(1, 3000) } });
  await made.save({ new: { file: noise(3, 3000) } });
  await forget(made.store, first);
  const report = await pruneStore(made.store);
  equal(report.removedPackCount, 2);
  equal(report.repackedPackCount, 0);
  equal(report.recordCount, 1);
  deepEqual(await namesOf(made.store, "packs/"), made.packs.slice(2).sort());
  equal(await checkWhole(made.store), 1);
});

Deno.test("prune writes again what is needed of packs that are needed in part", async () => {
  const { store } = await halfForgotten();
  const before = await namesOf(store, "packs/");
  const report = await pruneStore(store);
  equal(report.repackedPackCount, 1);
  equal(report.removedPackCount, 2);
  const after = await namesOf(store, "packs/");
  equal(after.filter((name) => before.includes(name)).length, 2);
  equal(after.length, 3);
  equal(await checkWhole(store), 1);
});

Deno.test("what a dry run says is what the run then does, and it writes nothing", async () => {
  const { store } = await halfForgotten();
  const before = await namesOf(store, "");
  const said = await pruneStore(store, { dryRun: true });
  deepEqual(await namesOf(store, ""), before);
  const done = await pruneStore(store);
  const { writtenByteCount: _, ...did } = done;
  const { writtenByteCount, ...told } = said;
  deepEqual(did, told);
  ok(writtenByteCount > 0);
  const nothing = await pruneStore(store, { dryRun: true });
  equal(nothing.removedPackCount, 0);
});

Deno.test("prune joins small packs of one sort where there are many", async () => {
  const made = new TestSnapshots();
  await using _ = await made.open();
  for (let i = 0; i < 7; i++) await made.save({ a: { file: noise(i, 500) } });
  equal((await pruneStore(made.store)).repackedPackCount, 0);
  await made.save({ a: { file: noise(7, 500) } });
  const report = await pruneStore(made.store);
  equal(report.repackedPackCount, 16);
  equal((await namesOf(made.store, "packs/")).length, 2);
  equal(await checkWhole(made.store), 8);
});

Deno.test("prune writes no more again than it may", async () => {
  const { store } = await halfForgotten();
  const report = await pruneStore(store, { maxRepack: 100 });
  equal(report.repackedPackCount, 0);
  equal(report.removedPackCount, 1); // The trees of the first snapshot.
  equal((await pruneStore(store, { maxUnused: 1 })).repackedPackCount, 0);
  equal(await checkWhole(store), 1);
});

Deno.test("prune compresses anew what it writes again", async () => {
  const made = new TestSnapshots();
  await using _ = await made.open();
  const old = await made.save({ a: { file: noise(1, 9000) } });
  const text = new TextEncoder().encode("all work and no play ".repeat(1000));
  const both = { text: { file: text }, b: { file: noise(2, 2000) } };
  const record = await made.save({ ...both, c: { file: noise(3, 9000) } });
  await made.save(both);
  await forget(made.store, old);
  await forget(made.store, record);
  const report = await pruneStore(made.store, { recompress: "zstd:9" });
  ok(report.writtenByteCount < 4000, `${report.writtenByteCount}`);
  equal(await checkWhole(made.store), 1);
});

Deno.test("prune waits for runs that may rely on what it condemns, and the next one goes on", async () => {
  const { store } = await halfForgotten();
  const clock = new Clock();
  const saveId = new Uint8Array(16).fill(9);
  const lease = await openLease(store, {
    saveId,
    action: "save",
    host: "elsewhere",
    now: clock.now,
  });
  const packs = await namesOf(store, "packs/");
  const first = await pruneStore(store, clock);
  equal(first.removedPackCount, 0);
  equal(first.condemnedPackCount, 2);
  deepEqual(
    first.waitingFor.map(({ host, action, saveId }) => [host, action, saveId]),
    [["elsewhere", "save", "09".repeat(16)]],
  );
  for (const name of packs) ok(await store.size(name) !== undefined);
  await lease.end();
  const second = await pruneStore(store, clock);
  equal(second.removedPackCount, 2);
  deepEqual(second.waitingFor, []);
  deepEqual(await namesOf(store, "leases/"), []);
  equal((await readRound(store)).steps.length, 0);
  equal(await checkWhole(store), 1);
});

Deno.test("prune waits for a run whose end somebody else has written", async () => {
  const { store } = await halfForgotten();
  const clock = new Clock(), { now } = clock;
  const saveId = new Uint8Array(16).fill(9);
  await openLease(store, { saveId, action: "save", now });
  const end = encodeDocument({ kind: "LEAS", saveId, body: {} });
  await store.create(`leases/${"09".repeat(16)}/end`, end);
  const { waitingFor, removedPackCount } = await pruneStore(store, clock);
  equal(waitingFor.length, 1);
  equal(removedPackCount, 0);
});

Deno.test("prune tells whom it waits for, and goes on when they have ended", async () => {
  const { store } = await halfForgotten();
  const clock = new Clock();
  const saveId = new Uint8Array(16).fill(9);
  const lease = await openLease(store, { saveId, action: "save" });
  const told: string[] = [];
  let waits = 0;
  const report = await pruneStore(store, {
    now: clock.now,
    waitMs: 5 * MINUTE,
    onWait: (holders) => told.push(...holders.map(({ action }) => action)),
    sleep: async (ms) => {
      await clock.sleep(ms);
      if (++waits === 3) await lease.end();
    },
  });
  deepEqual(told, ["save"]);
  equal(waits, 3);
  equal(report.removedPackCount, 2);
});

Deno.test("a save that sleeps for half an hour is void unless its record is there", async () => {
  const { store, ...made } = await halfForgotten();
  void made;
  const clock = new Clock();
  const asleep = new Uint8Array(16).fill(9);
  const recorded = new Uint8Array(16).fill(7); // As all records of the test have it.
  for (const saveId of [asleep, recorded]) {
    await openLease(store, { saveId, action: "save", now: clock.now });
  }
  equal((await pruneStore(store, clock)).waitingFor.length, 2);
  clock.ms += 29 * MINUTE;
  equal((await pruneStore(store, clock)).waitingFor.length, 2);
  clock.ms += MINUTE;
  const report = await pruneStore(store, clock);
  equal(report.voidCount, 1);
  equal(report.removedPackCount, 2);
  deepEqual([...await listVoidSaves(store)], ["09".repeat(16)]);
  equal((await listLeases(store)).size, 0);
  equal(await checkWhole(store), 1);
});

Deno.test("a save that is alive is waited for, however long it takes, and may fall asleep later", async () => {
  const { store } = await halfForgotten();
  const clock = new Clock();
  const saveId = new Uint8Array(16).fill(9);
  const options = { saveId, action: "save", now: clock.now };
  const lease = await openLease(store, options);
  await pruneStore(store, clock);
  for (let hour = 0; hour < 3; hour++) {
    clock.ms += 60 * MINUTE;
    await lease.renew();
    equal((await pruneStore(store, clock)).waitingFor.length, 1);
  }
  clock.ms += 31 * MINUTE;
  equal((await pruneStore(store, clock)).voidCount, 1);
  equal(await checkWhole(store), 1);
});

Deno.test("what a record needs that was written meanwhile is not removed", async () => {
  const made = await halfForgotten();
  const { store } = made;
  const clock = new Clock();
  const saveId = new Uint8Array(16).fill(9);
  const lease = await openLease(store, { saveId, action: "save" });
  const first = await pruneStore(store, { ...clock, maxUnused: 1 });
  equal(first.condemnedPackCount, 1);
  // It has looked before, and relies on all that was there.
  await made.save({
    old: { file: noise(1, 3000) },
    more: { file: noise(4, 10) },
  });
  await lease.end();
  const root = made.addDirectory({
    old: { file: noise(1, 3000) },
    both: { file: noise(2, 3000) },
  });
  await made.addRecord(root);
  const second = await pruneStore(store, { ...clock, maxUnused: 1 });
  equal(second.removedPackCount, 0);
  equal(await checkWhole(store), 3);
});

Deno.test("uploads of runs that are over are ended, when nobody can work on them", async () => {
  const { store } = await halfForgotten();
  const clock = new Clock();
  const saveId = new Uint8Array(16).fill(9);
  const lease = await openLease(store, { saveId, action: "save" });
  const ended: string[] = [];
  const uploading = Object.assign(new FaultStore(store), {
    listUploads: () =>
      Promise.resolve([{
        name: "packs/ab/dead",
        abort: () => Promise.resolve(void ended.push("dead")),
      }]),
  });
  await pruneStore(uploading, clock);
  deepEqual(ended, []);
  await lease.end();
  await pruneStore(uploading, clock);
  deepEqual(ended, ["dead"]);
});

Deno.test("prune goes on where a table of the index is damaged", async () => {
  const made = await halfForgotten();
  const { store } = made;
  for (const name of await namesOf(store, "index/")) {
    await made.damage(name, (bytes) => void (bytes[bytes.length - 10] ^= 1));
  }
  equal((await pruneStore(store)).removedPackCount, 2);
  await using snapshots = await openSnapshots(store, { hasher });
  const { damages } = await verify(snapshots, { data: true });
  deepEqual(new Set(damages.map(({ subject }) => subject)), new Set(["index"]));
});

Deno.test("prune keeps the sound copy of what also lies in a damaged pack", async () => {
  const made = await halfForgotten();
  const { store, packs } = made;
  const pack = packs[0].slice(-64);
  // The same content once more, as whoever mends a pack writes it.
  const again = new TestSnapshots();
  again.addContent(noise(2, 3000));
  await again.flush();
  for (const name of await namesOf(again.store, "")) {
    await store.create(name, await again.store.read(name));
  }
  const saveId = new Uint8Array(16).fill(3);
  await markBadPack(store, pack, { saveId, reason: "test" });
  await pruneStore(store);
  equal(await store.size(packs[0]), undefined);
  ok(await store.size(again.packs[0]) !== undefined);
  equal(await checkWhole(store), 1);
});

Deno.test("with a single writer leases are those of runs that are gone", async () => {
  const { store } = await halfForgotten();
  const saveId = new Uint8Array(16).fill(9);
  await openLease(store, { saveId, action: "save" });
  const report = await pruneStore(store, { singleWriter: true });
  equal(report.removedPackCount, 2);
  equal(report.voidCount, 1);
});

Deno.test("save ids that a dead run has named are void, but for those with a record", async () => {
  const { store } = await halfForgotten();
  const saveId = new Uint8Array(16).fill(9);
  const [finished] = await finishedSaves(store);
  const named = "ab".repeat(16), renewed = "cd".repeat(16);
  const how = { saveId, action: "copy", saveIds: [named] };
  const lease = await openLease(store, how);
  await lease.renew({ saveIds: [renewed, finished] });
  await pruneStore(store, { singleWriter: true });
  const wanted = new Set(["09".repeat(16), named, renewed]);
  deepEqual(await listVoidSaves(store), wanted);
  equal(await checkWhole(store), 1);
});

Deno.test("a broken snapshot stops prune unless it is named", async () => {
  const made = await halfForgotten();
  const { store, packs } = made;
  const gone = await made.save({ lost: { file: noise(5, 3000) } });
  await store.remove(packs[4]); // The data of the third.
  const before = await namesOf(store, "");
  await rejects(pruneStore(store), (error) => {
    ok(error instanceof BrokenSnapshotError);
    equal(error.record, gone.record);
    return true;
  });
  deepEqual(await namesOf(store, ""), before);
  const report = await pruneStore(store, { despite: [gone.record] });
  equal(report.removedPackCount, 2);
  // Its trees are kept.
  ok(await store.size(packs[5]) !== undefined);
});

Deno.test("prune refuses a store whose writers have no leases, unless nobody else writes", async () => {
  const { store } = await halfForgotten();
  await using snapshots = await openSnapshots(store, { hasher });
  const { settings, config } = snapshots;
  const source = {
    store,
    hasher,
    settings,
    config: { ...config, writeFeatures: 0 },
  };
  await rejects(prune(source), NoLeasesError);
  const report = await prune(source, { singleWriter: true });
  equal(report.removedPackCount, 2);
});

Deno.test("who reads a store goes on when what they read was written again meanwhile", async () => {
  const { store } = await halfForgotten();
  await using snapshots = await openSnapshots(store, { hasher });
  const reader = await snapshots.reader();
  const id = contentId(noise(2, 3000));
  ok(await reader.index.locate(id, ObjectKind.content) !== undefined);
  equal((await pruneStore(store)).repackedPackCount, 1);
  const bytes = await reader.readObject(id, ObjectKind.content);
  deepEqual(bytes, noise(2, 3000));
});

/** A store in which a save ends in the middle of a round, and one read fails after that. */
class LosingStore extends MemoryStore {
  /** Done once the round has its list. */
  onCondemned: (() => Promise<void>) | undefined;
  /** The read of a pack that fails once whoever saves is over. */
  losesAt = 0;
  #isDeciding = false;

  override async create(...[name, ...rest]: CreateArguments): Promise<boolean> {
    if (name === "gc/2") await this.onCondemned?.();
    if (name === "gc/3") this.#isDeciding = true;
    return await super.create(name, ...rest);
  }

  override async read(...[name, ...rest]: ReadArguments): Promise<Uint8Array> {
    if (
      this.#isDeciding && name.startsWith("packs/") && --this.losesAt === 0
    ) throw new NotFoundError(name);
    return await super.read(name, ...rest);
  }
}

type CreateArguments = Parameters<MemoryStore["create"]>;
type ReadArguments = Parameters<MemoryStore["read"]>;

Deno.test("prune that has to mark again keeps all that a save of its round relies on", async () => {
  const made = new TestSnapshots();
  await using _ = await made.open();
  const below = { directory: { small: { file: noise(5, 300) } } };
  const first = await made.save({ below });
  const second = await made.save({ below, file: { file: noise(1, 3000) } });
  await made.save({ other: { file: noise(3, 3000) } });
  const record = await made.store.read(formatRecordName(second));
  for (const one of [first, second]) await forget(made.store, one);
  let failedCount = 0;
  for (let losesAt = 1;; losesAt++) {
    const store = new LosingStore();
    await copyFiles(made.store, store);
    store.losesAt = losesAt;
    store.onCondemned = async () => {
      await store.create(formatRecordName(second), record);
    };
    await pruneStore(store);
    if (store.losesAt > 0) break;
    failedCount++;
    equal(await checkWhole(store), 2);
  }
  ok(failedCount > 1, `${failedCount}`);
});

/** A store that is pruned by somebody else before one of its reads. */
class PrunedStore extends MemoryStore {
  /** The read of a pack or an index table before which it happens. */
  prunesAt = 0;

  override async read(...[name, ...rest]: ReadArguments): Promise<Uint8Array> {
    const isCounted = name.startsWith("packs/") || name.startsWith("index/");
    if (isCounted && --this.prunesAt === 0) await pruneStore(this);
    return await super.read(name, ...rest);
  }
}

Deno.test("verify takes what is removed beside it for no damage, and what is lost for damage", async () => {
  const { store: made } = await halfForgotten();
  let prunedCount = 0;
  for (let prunesAt = 1;; prunesAt++) {
    const store = new PrunedStore();
    await copyFiles(made, store);
    store.prunesAt = prunesAt;
    equal(await checkWhole(store), 1);
    if (store.prunesAt > 0) break;
    prunedCount++;
    const [pack] = await namesOf(store, "packs/");
    await store.remove(pack);
    await rejects(checkWhole(store));
  }
  ok(prunedCount > 5, `${prunedCount}`);
});
