import { ok, rejects, strictEqual as equal } from "node:assert/strict";
import { statSync } from "node:fs";
import { formatRecordName } from "@snap/snapshot/records";
import { type PruneStore, type StoreAction, StoreError } from "@snap/store";
import { openLease } from "@snap/store/removal";
import { type Fault, FaultStore } from "@snap/store/testing";
import { noise, TestSnapshots } from "../../tests/_test_snapshots.ts";
import { checkWhole, pruneStore } from "./_testing.ts";

const WRITES: readonly StoreAction[] = ["create", "adopt", "remove"];
/** Steps at most, so that a test that never ends fails. */
const CALLS_MAX = 200;

/** A store with dead packs, packs to be written again, a save that is asleep, and its record. */
async function makeStore(): Promise<TestSnapshots> {
  const made = new TestSnapshots();
  await using _ = await made.open();
  const large = {
    large: { chunks: [noise(8, 9000), 100_000, noise(9, 9000)] },
  };
  const kept = { both: { file: noise(2, 3000) }, ...large };
  const old = [
    await made.save({ old: { file: noise(1, 3000) }, ...kept }),
    await made.save({ dead: { file: noise(4, 3000) } }),
  ];
  await made.save({ new: { file: noise(3, 3000) }, ...kept });
  for (const record of old) await made.store.remove(formatRecordName(record));
  const saveId = new Uint8Array(16).fill(9);
  await openLease(made.store, { saveId, action: "save", now: () => 0 });
  return made;
}

async function packCount(store: PruneStore): Promise<number> {
  let count = 0;
  for await (const batch of store.list("packs/")) count += batch.length;
  return count;
}

/** Prunes as often as it takes: half an hour passes between two runs. */
async function pruneWell(store: PruneStore): Promise<void> {
  for (let run = 0; run < 4; run++) {
    const now = () => run * 30 * 60_000;
    await pruneStore(store, { now });
  }
}

Deno.test("the harness notices what is removed in a wrong order", async () => {
  const { store, packs } = await makeStore();
  await store.remove(packs[4]);
  let isNoticed = false;
  await checkWhole(store).catch(() => isNoticed = true);
  ok(isNoticed);
});

for (const fault of ["gone", "lost", "full"] satisfies Fault[]) {
  Deno.test(`a run of prune that ends at any name leaves every snapshot whole, and the next one ends well: ${fault}`, async () => {
    const { store: clean } = await makeStore();
    await pruneWell(clean);
    const packsAtBest = await packCount(clean);
    let call = 1, isThrough = false;
    for (; !isThrough; call++) {
      ok(call < CALLS_MAX);
      const { store } = await makeStore();
      const plan = { at: [{ call, fault }], actions: WRITES };
      const faulty = new FaultStore(store, plan);
      try {
        await pruneWell(faulty);
      } catch (error) {
        ok(error instanceof StoreError, `${error}`);
      }
      isThrough = faulty.calls < call;
      equal(await checkWhole(store), 1);
      await pruneWell(store);
      equal(await checkWhole(store), 1);
      equal(await packCount(store), packsAtBest, `after call ${call}`);
    }
    ok(call > 20, `${call} calls`);
  });
}

/** A disk with little room, of which the store keeps some. */
class SmallDisk extends FaultStore {
  #free: number;
  #reserve = 256 * 1024;

  constructor(inner: PruneStore, free: number) {
    super(inner);
    this.#free = free;
  }

  override async create(name: string, bytes: Uint8Array): Promise<boolean> {
    this.#take(bytes.length);
    return await super.create(name, bytes);
  }

  override async adopt(name: string, path: string): Promise<boolean> {
    this.#take(statSync(path).size);
    return await super.adopt(name, path);
  }

  override async remove(name: string): Promise<void> {
    this.#free += await this.size(name) ?? 0;
    await super.remove(name);
  }

  freeReserve(): Promise<boolean> {
    this.#free += this.#reserve;
    this.#reserve = 0;
    return Promise.resolve(true);
  }

  keepReserve(): Promise<void> {
    if (this.#reserve === 0) this.#take(this.#reserve = 256 * 1024);
    return Promise.resolve();
  }

  #take(size: number): void {
    const how = { code: "ENOSPC", action: "create" } as const;
    if (size > this.#free) throw new StoreError("Cannot create: no space", how);
    this.#free -= size;
  }
}

Deno.test("on a full disk dead packs go first, then there is room to write others again", async () => {
  const { store, packs } = await makeStore();
  const dead = await store.read(packs[2]);
  for (let i = 0; i < 100; i++) {
    // No table names these: they are of saves that were killed.
    await store.create(
      `packs/0${i % 9}/0${i % 9}${String(i).padStart(62, "0")}`,
      dead,
    );
  }
  const disk = new SmallDisk(store, 0);
  const report = await pruneStore(disk, { singleWriter: true });
  equal(report.isFull, false);
  ok(report.repackedPackCount > 0);
  equal(await checkWhole(store), 1);
  equal(await packCount(store), 4);
});

Deno.test("who may not remove is told so before anything is done", async () => {
  const { store } = await makeStore();
  const before = await packCount(store);
  const at = [{ call: 1, fault: "error" as const }];
  const faulty = new FaultStore(store, { at, actions: ["remove"] });
  await rejects(pruneStore(faulty), StoreError);
  equal(await packCount(store), before);
  equal(faulty.count("create") + faulty.count("adopt"), 0);
});

Deno.test("two runs of prune at once remove what one would, whatever comes first", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const { store } = await makeStore();
    let state = seed;
    const wait = async (): Promise<void> => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      for (let turn = state % 7; turn >= 0; turn--) {
        await new Promise((resolve) => void setImmediate(resolve));
      }
    };
    const chance = { seed, rate: 0.7, faults: ["slow" as const] };
    const slow = new FaultStore(store, { chance, wait });
    await Promise.all([pruneWell(slow), pruneWell(slow)]);
    equal(await checkWhole(store), 1);
    // What both have written again is there twice.
    await pruneWell(store);
    equal(await checkWhole(store), 1);
    equal(await packCount(store), 4, `seed ${seed}`);
  }
});
