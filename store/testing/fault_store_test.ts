import {
  deepStrictEqual,
  notDeepStrictEqual,
  rejects,
  strictEqual,
} from "node:assert/strict";
import type { StoreEntry } from "../store.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import { type Fault, FaultStore } from "./fault_store.ts";
import { type RegisterTest, testStore } from "./test_store.ts";

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);

testStore("FaultStore without faults", () =>
  Promise.resolve({
    store: new FaultStore(new MemoryStore()),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));

Deno.test("FaultStore fails before anything was done", async () => {
  for (
    const [fault, code] of [["error", "EIO"], ["full", "ENOSPC"], [
      "gone",
      "ENXIO",
    ]] as const
  ) {
    const { inner, store } = await planned(fault);
    await rejects(store.create("index/two", bytes), {
      name: "StoreError",
      code,
      action: "create",
    });
    strictEqual(await inner.size("index/two"), undefined);
  }
});

Deno.test("FaultStore fails after all was done where the answer is lost", async () => {
  const { inner, store } = await planned("lost");
  await rejects(store.create("index/two", bytes), { code: "EIO" });
  deepStrictEqual(await inner.read("index/two"), bytes);
});

Deno.test("FaultStore tears creates, reads and lists", async () => {
  const creates = await planned("torn");
  await rejects(creates.store.create("index/two", bytes), { code: "EIO" });
  strictEqual(await creates.inner.size("index/two"), 50);
  deepStrictEqual(
    await (await planned("torn")).store.read("index/one"),
    bytes.subarray(0, 50),
  );
  deepStrictEqual(await entriesOf((await planned("torn")).store), []);
});

Deno.test("FaultStore flips one bit", async () => {
  const { store } = await planned("flip");
  const flipped = await store.read("index/one");
  notDeepStrictEqual(flipped, bytes);
  const bits = flipped.reduce(
    (sum, byte, i) => sum + (byte ^ bytes[i]).toString(2).split("1").length - 1,
    0,
  );
  strictEqual(bits, 1);
  deepStrictEqual(await store.read("index/one"), bytes);
});

Deno.test("FaultStore stays gone", async () => {
  const { store } = await planned("gone");
  for (let i = 0; i < 3; i++) {
    await rejects(store.read("index/one"), { code: "ENXIO" });
  }
  await rejects(entriesOf(store), { code: "ENXIO" });
  await rejects(store.sync([""]), { code: "ENXIO" });
  await rejects(store.remove("index/one"), { code: "ENXIO" });
});

Deno.test("FaultStore counts calls, and fails those of the planned kinds", async () => {
  const memory = new MemoryStore();
  const store = new FaultStore(memory, {
    actions: ["size"],
    at: [{ call: 2, fault: "error" }],
  });
  await store.create("index/one", bytes);
  await store.size("index/one");
  await rejects(store.size("index/one"), { code: "EIO" });
  deepStrictEqual([store.calls, store.count("create"), store.count("size")], [
    2,
    1,
    2,
  ]);
});

Deno.test("FaultStore draws the same faults from the same seed", async () => {
  const outcomes = async (seed: number) => {
    const chance = {
      seed,
      rate: 0.3,
      faults: ["error", "full", "lost"] as const,
    };
    const store = new FaultStore(new MemoryStore(), { chance });
    const codes: string[] = [];
    for (let i = 0; i < 200; i++) {
      const code = await store.create(`index/${i}`, bytes).then(
        () => "",
        ({ code }) => code,
      );
      codes.push(code);
    }
    return codes;
  };
  const codes = await outcomes(42);
  deepStrictEqual(await outcomes(42), codes);
  notDeepStrictEqual(await outcomes(43), codes);
  const share = codes.filter((code) => code !== "").length / codes.length;
  strictEqual(share > 0.2 && share < 0.4, true, `${share}`);
});

Deno.test("testStore notices a store that breaks its promises", async () => {
  const broken: Record<string, (store: MemoryStore) => Partial<MemoryStore>> = {
    "overwrites": (store) => ({
      create: async (
        name,
        bytes,
      ) => (await store.remove(name), await store.create(name, bytes)),
    }),
    "lists nothing": () => ({
      list: async function* (): AsyncGenerator<StoreEntry[]> {},
    }),
    "calls absent what it cannot read": () => ({
      size: () => Promise.resolve(undefined),
    }),
    "reads short": (store) => ({
      read: async (name, range) => (await store.read(name, range)).slice(1),
    }),
    "keeps what it removes": () => ({ remove: () => Promise.resolve() }),
  };
  for (const [title, change] of Object.entries(broken)) {
    const tests: Parameters<RegisterTest>[1][] = [];
    testStore(title, () => {
      const store = new MemoryStore();
      const methods = change(store);
      return Promise.resolve({
        store: new Proxy(store, {
          get: (target, key) => {
            const value: unknown = Reflect.get(
              key in methods ? methods : target,
              key,
            );
            return typeof value === "function" ? value.bind(target) : value;
          },
        }),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      });
    }, (_, run) => tests.push(run));
    const results = await Promise.allSettled(tests.map((run) => run()));
    strictEqual(
      results.some(({ status }) => status === "rejected"),
      true,
      title,
    );
  }
});

async function planned(
  fault: Fault,
): Promise<{ inner: MemoryStore; store: FaultStore }> {
  const inner = new MemoryStore();
  await inner.create("index/one", bytes);
  return { inner, store: new FaultStore(inner, { at: [{ call: 1, fault }] }) };
}

async function entriesOf(store: FaultStore): Promise<StoreEntry[]> {
  return (await Array.fromAsync(store.list(""))).flat();
}
