import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { DocumentSyntaxError } from "../errors.ts";
import { decodeNamed } from "../format/document_form.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import {
  createVoid,
  listBadPacks,
  listVoidSaves,
  markBadPack,
} from "./marks.ts";
import {
  appendStep,
  isOvertaken,
  isSuspected,
  readRound,
  type RoundStep,
} from "./round.ts";

const saveId = new Uint8Array(16).fill(0xcd);
const TIME = Date.UTC(2026, 10, 20, 5, 46, 18);
const pruner = { saveId, now: () => TIME };
const SAVE = "ab".repeat(16), OTHER = "ba".repeat(16);
const [PACK, BAD] = ["01".repeat(32), "02".repeat(32)];

const ROUND: readonly RoundStep[] = [
  { step: "condemned", packs: [PACK] },
  { step: "holders", leases: { [SAVE]: 3 } },
  { step: "suspects", saves: [SAVE] },
  { step: "final", packs: [PACK], void: [SAVE], ended: [] },
  { step: "done" },
];

/** A store with the first steps of a round. */
async function makeStore(count: number): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const [i, step] of ROUND.slice(0, count).entries()) {
    strictEqual(await appendStep(store, i + 1, step, pruner), "appended");
  }
  return store;
}

Deno.test("a round is open from its first step to done", async () => {
  for (let count = 0; count <= ROUND.length; count++) {
    const round = await readRound(await makeStore(count));
    const isOpen = count > 0 && count < ROUND.length;
    strictEqual(round.number, count);
    strictEqual(round.condemned.has(PACK), isOpen);
    deepStrictEqual(
      round.steps.map(({ number, time: _, ...step }) => ({ number, step })),
      (isOpen ? ROUND.slice(0, count) : [])
        .map((step, i) => ({ number: i + 1, step })),
    );
  }
});

Deno.test("what stands below a step done counts no more", async () => {
  const store = await makeStore(ROUND.length);
  for (const number of [1, 2, 3, 4]) await store.remove(`gc/${number}`);
  // A pruner that slept finds its number free.
  strictEqual(await appendStep(store, 2, ROUND[0], pruner), "late");
  deepStrictEqual((await readRound(store)).steps, []);
  strictEqual(await appendStep(store, 6, ROUND[0], pruner), "appended");
  strictEqual((await readRound(store)).steps.length, 1);
});

Deno.test("of two pruners one gets the number", async () => {
  const store = await makeStore(1);
  strictEqual(await appendStep(store, 2, ROUND[1], pruner), "appended");
  strictEqual(await appendStep(store, 2, ROUND[1], pruner), "taken");
  strictEqual(await appendStep(store, 1, ROUND[0], pruner), "late");
});

/** A store whose next list is one of the past. */
class LateStore extends MemoryStore {
  past: string[] = [];
  override async *list(prefix: string): ReturnType<MemoryStore["list"]> {
    const { past } = this;
    this.past = [];
    if (past.length === 0) yield* super.list(prefix);
    else yield past.map((name) => ({ name, size: 1 }));
  }
}

Deno.test("a round that ends while it is read is closed", async () => {
  const store = new LateStore();
  await appendStep(store, 5, { step: "done" }, pruner);
  store.past = ["gc/3", "gc/4"];
  deepStrictEqual(await readRound(store), {
    ...{ number: 5, steps: [] },
    ...{ condemned: new Set(), badPacks: new Set(), voidSaves: new Set() },
    absentPacks: new Set(),
  });
});

Deno.test("a step that is missing or damaged is damage, not an open door", async () => {
  const store = await makeStore(3);
  await store.remove("gc/2");
  await rejects(readRound(store), DocumentSyntaxError);
  await store.create("gc/2", new Uint8Array(100));
  await rejects(readRound(store), DocumentSyntaxError);
});

Deno.test("a step with more packs than a document holds is not written", async () => {
  const store = new MemoryStore();
  const packs = Array.from({ length: 10_001 }, () => PACK);
  const step = { step: "condemned", packs } as const;
  await rejects(appendStep(store, 1, step, pruner), DocumentSyntaxError);
  strictEqual((await readRound(store)).number, 0);
});

Deno.test("a run is overtaken once a step suspects it", async () => {
  const since = await readRound(new MemoryStore());
  for (let count = 0; count <= ROUND.length; count++) {
    const store = await makeStore(count);
    strictEqual(
      await isOvertaken(store, { saveIds: [SAVE], since }),
      count >= 3,
    );
    const others = { saveIds: [OTHER], since };
    strictEqual(await isOvertaken(store, others), false);
  }
});

Deno.test("a run is overtaken that was suspected between its lease and its first look", async () => {
  for (let count = 0; count < ROUND.length; count++) {
    const store = await makeStore(count);
    const since = await readRound(store);
    strictEqual(isSuspected(since, [OTHER, SAVE]), count >= 3);
    const saveIds = [SAVE];
    strictEqual(await isOvertaken(store, { saveIds, since }), count >= 3);
  }
});

Deno.test("a run that slept over a whole round is told by its mark", async () => {
  const since = await readRound(new MemoryStore());
  const store = await makeStore(ROUND.length);
  for (const number of [1, 2, 3, 4]) await store.remove(`gc/${number}`);
  await createVoid(store, SAVE, 4, pruner);
  const saveIds = [OTHER, SAVE];
  const late = await readRound(store);
  for (const one of [since, late]) {
    strictEqual(await isOvertaken(store, { saveIds, since: one }), true);
    const others = { saveIds: [OTHER], since: one };
    strictEqual(await isOvertaken(store, others), false);
  }
});

Deno.test("marks are listed by what they mark", async () => {
  const store = new MemoryStore();
  await createVoid(store, SAVE, 4, pruner);
  await createVoid(store, SAVE, 9, pruner);
  await markBadPack(store, BAD, { ...pruner, reason: "checksum" });
  deepStrictEqual(await listVoidSaves(store), new Set([SAVE]));
  deepStrictEqual(await listBadPacks(store), new Set([BAD]));
  const { badPacks, voidSaves } = await readRound(store);
  deepStrictEqual([badPacks, voidSaves], [new Set([BAD]), new Set([SAVE])]);
  const read = async (name: string) =>
    decodeNamed(name, await store.read(name));
  deepStrictEqual((await read(`gc/void/${SAVE}`)).body, { round: 4 });
  deepStrictEqual((await read(`gc/bad/${BAD}`)).body, {
    time: "2026-11-20T05:46:18.000000000Z",
    reason: "checksum",
  });
});
