import {
  deepStrictEqual,
  notStrictEqual,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { MemoryStore } from "../memory/memory_store.ts";
import { OnceStore } from "./once_store.ts";
import { FaultStore } from "../testing/fault_store.ts";

const bytes = Uint8Array.of(1, 2, 3);

Deno.test("OnceStore makes one read of many that are equal", async () => {
  const inner = await filled();
  const store = new OnceStore(inner);
  const answers = await Promise.all([
    store.read("index/one"),
    store.read("index/one"),
    store.read("index/one", { offset: 0 }),
    store.read("index/one", { offset: 1 }),
    store.read("index/one", { length: 2 }),
  ]);
  deepStrictEqual(answers.map((answer) => answer.length), [3, 3, 3, 2, 2]);
  strictEqual(answers[0], answers[1]);
  strictEqual(inner.count("read"), 3);
  notStrictEqual(await store.read("index/one"), answers[0]);
  strictEqual(inner.count("read"), 4);
});

Deno.test("OnceStore asks once for a size", async () => {
  const inner = await filled();
  const store = new OnceStore(inner);
  const sizes = [
    store.size("index/one"),
    store.size("index/one"),
    store.size("index/two"),
  ];
  deepStrictEqual(await Promise.all(sizes), [3, 3, undefined]);
  strictEqual(inner.count("size"), 2);
});

Deno.test("OnceStore lets one of many creates do it, and tells only that one", async () => {
  const inner = new FaultStore(new MemoryStore());
  const store = new OnceStore(inner);
  const answers = await Promise.all(
    [1, 2, 3].map(() => store.create("index/one", bytes)),
  );
  deepStrictEqual(answers, [true, false, false]);
  strictEqual(inner.count("create"), 1);
  strictEqual(await store.create("index/one", bytes), false);
});

Deno.test("OnceStore gives a failure to all who asked, and forgets it", async () => {
  const inner = new FaultStore(new MemoryStore(), {
    at: [{ call: 1, fault: "full" }],
  });
  const store = new OnceStore(inner);
  const outcomes = await Promise.allSettled(
    [1, 2].map(() => store.create("index/one", bytes)),
  );
  deepStrictEqual(outcomes.map(({ status }) => status), [
    "rejected",
    "rejected",
  ]);
  strictEqual(await store.create("index/one", bytes), true);
});

Deno.test("OnceStore keeps a read under way for those who still wait", async () => {
  const gate = Promise.withResolvers<void>();
  const inner = await filled({ wait: () => gate.promise });
  const store = new OnceStore(inner);
  const stop = new AbortController();
  const impatient = store.read("index/one", { signal: stop.signal });
  const patient = store.read("index/one");
  stop.abort(new Error("enough"));
  await rejects(impatient, { message: "enough" });
  gate.resolve();
  deepStrictEqual(await patient, bytes);
  strictEqual(inner.count("read"), 1);
});

Deno.test("OnceStore ends a read that nobody waits for any more", async () => {
  const gate = Promise.withResolvers<void>();
  const inner = await filled({ wait: () => gate.promise });
  const store = new OnceStore(inner);
  const stop = new AbortController();
  const read = store.read("index/one", { signal: stop.signal });
  stop.abort(new Error("enough"));
  const next = store.read("index/one");
  gate.resolve();
  await rejects(read, { message: "enough" });
  deepStrictEqual(await next, bytes);
});

Deno.test("OnceStore hands everything else on", async () => {
  const store = new OnceStore(await filled());
  strictEqual(store.localPath, undefined);
  deepStrictEqual(await Array.fromAsync(store.list("index/")), [[{
    name: "index/one",
    size: 3,
  }]]);
  await store.sync(["index/"]);
  const path = await store.spoolPath("5a".repeat(16));
  Deno.writeFileSync(path, bytes);
  strictEqual(await store.adopt("index/two", path), true);
  deepStrictEqual(await store.read("index/two"), bytes);
});

/** A store with one name whose first read is slow where there is something to wait for. */
async function filled(
  plan: { wait?: () => Promise<void> } = {},
): Promise<FaultStore> {
  const memory = new MemoryStore();
  await memory.create("index/one", bytes);
  const at = plan.wait === undefined
    ? []
    : [{ call: 1, fault: "slow" } as const];
  return new FaultStore(memory, { ...plan, at });
}
