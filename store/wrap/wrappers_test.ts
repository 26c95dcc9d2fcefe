import {
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { NotFoundError, StoreError } from "../errors.ts";
import { encodeHeader } from "../header.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import type { PruneStore, StoreEntry, StoreOptions } from "../store.ts";
import { type Fault, FaultStore, testStore } from "../testing/mod.ts";
import {
  Limiter,
  LimitStore,
  Meter,
  MeterStore,
  RemoteError,
  RetryStore,
} from "./mod.ts";
import { FakeTiming } from "./testdata/fake_timing.ts";

const SEED = 20261120;
const bytes = new Uint8Array(300).fill(3);
bytes.set(encodeHeader({
  kind: "INDX",
  saveId: new Uint8Array(16).fill(7),
  salt: new Uint8Array(32).fill(9),
}));

const wrappers: Readonly<Record<string, (inner: PruneStore) => PruneStore>> = {
  RetryStore: (inner) => new RetryStore(inner, { timing: new FakeTiming() }),
  "RetryStore with a deadline": (inner) =>
    new RetryStore(inner, { timing: new FakeTiming(), deadlineMs: 1000 }),
  LimitStore: (inner) =>
    new LimitStore(
      inner,
      new Limiter({
        timing: new FakeTiming(),
        bytesPerSecond: 1000,
        bytesInFlightMax: 50_000,
      }),
    ),
  MeterStore: (inner) => new MeterStore(inner),
  "all wrappers": (inner) =>
    new RetryStore(
      new LimitStore(
        new MeterStore(inner),
        new Limiter({ timing: new FakeTiming(), requestsMax: 2 }),
      ),
      { timing: new FakeTiming() },
    ),
};

for (const [name, wrap] of Object.entries(wrappers)) {
  testStore(name, () =>
    Promise.resolve({
      store: wrap(new MemoryStore()),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }));
  testStore(`${name} around a FaultStore`, () =>
    Promise.resolve({
      store: wrap(new FaultStore(new MemoryStore())),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }));
}

// What is not repeated (a file that is taken over, a sync) does not fail here.
const repeated = ["read", "size", "list", "create", "remove"] as const;
for (const faults of [["error"], ["lost"], ["error", "lost"]] as Fault[][]) {
  testStore(`RetryStore around faults (${faults.join()})`, () => {
    const chance = { seed: SEED, rate: 0.3, faults };
    const flaky = new FaultStore(new MemoryStore(), {
      chance,
      actions: repeated,
    });
    return Promise.resolve({
      store: new RetryStore(flaky, { timing: new FakeTiming(), triesMax: 50 }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  });
}

Deno.test("RetryStore repeats what passes, and nothing else", async () => {
  for (const fault of ["error", "full"] as const) {
    const inner = new MemoryStore();
    await inner.create("index/one", bytes);
    const flaky = new FaultStore(inner, { at: [{ call: 1, fault }] });
    const store = new RetryStore(flaky, { timing: new FakeTiming() });
    const read = store.read("index/one");
    if (fault === "error") deepStrictEqual(await read, bytes);
    else await rejects(read, { code: "ENOSPC" });
    strictEqual(flaky.count("read"), fault === "error" ? 2 : 1);
  }
  const store = new RetryStore(new MemoryStore(), { timing: new FakeTiming() });
  await rejects(store.read("index/one"), NotFoundError);
});

Deno.test("RetryStore never repeats a sync, nor the taking over of a file", async () => {
  const at = [1, 2].map((call) => ({ call, fault: "error" } as const));
  const flaky = new FaultStore(new MemoryStore(), { at });
  const store = new RetryStore(flaky, { timing: new FakeTiming() });
  await rejects(store.sync([""]), { code: "EIO" });
  await rejects(store.adopt("index/one", "/nowhere"), { code: "EIO" });
  strictEqual(flaky.calls, 2);
});

Deno.test("RetryStore tells its own lost create from one of another", async () => {
  const inner = new MemoryStore();
  const at = [{ call: 1, fault: "lost" }] as const;
  const lost = new FaultStore(inner, { at, actions: ["create"] });
  const store = new RetryStore(lost, { timing: new FakeTiming() });
  strictEqual(await store.create("index/one", bytes), true);

  const other = new Uint8Array(bytes);
  other[50] ^= 1; // The salt.
  await inner.create("index/two", other);
  const failing = new FaultStore(inner, {
    at: [{ call: 1, fault: "error" }],
    actions: ["create"],
  });
  const second = new RetryStore(failing, { timing: new FakeTiming() });
  strictEqual(await second.create("index/two", bytes), false);
  deepStrictEqual(await inner.read("index/two"), other);
});

Deno.test("RetryStore begins a list anew, and tells no name twice", async () => {
  const inner = new MemoryStore();
  for (let i = 0; i < 2500; i++) {
    await inner.create(`index/${i}`, new Uint8Array(i & 7));
  }
  let begun = 0;
  class Breaking extends MeterStore {
    override async *list(prefix: string): AsyncGenerator<StoreEntry[]> {
      const breaksAt = [1, 0, 2][begun++];
      let count = 0;
      for await (const batch of this.inner.list(prefix)) {
        if (count++ === breaksAt) {
          throw new StoreError("Cannot list: it broke", {
            code: "EIO",
            action: "list",
          });
        }
        yield batch;
      }
    }
  }
  const store = new RetryStore(new Breaking(inner), {
    timing: new FakeTiming(),
  });
  const names = (await Array.fromAsync(store.list(""))).flat()
    .map(({ name }) => name);
  strictEqual(begun, 4);
  strictEqual(names.length, 2500);
  strictEqual(new Set(names).size, 2500);
});

Deno.test("RetryStore ends a try that takes too long, also of a list", async () => {
  const timing = new FakeTiming();
  let hangs = 2;
  const hang = (signal?: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
      queueMicrotask(() => timing.pass(5000));
    });
  class Hanging extends MeterStore {
    override async size(name: string, options?: StoreOptions) {
      return hangs-- > 0
        ? await hang(options?.signal)
        : await super.size(name, options);
    }
    override async *list(prefix: string, options?: StoreOptions) {
      if (hangs-- > 0) await hang(options?.signal);
      yield* this.inner.list(prefix, options);
    }
  }
  const inner = new MemoryStore();
  await inner.create("index/one", bytes);
  const store = new RetryStore(new Hanging(inner), {
    timing,
    deadlineMs: 5000,
  });
  strictEqual(await store.size("index/one"), 300);
  hangs = 2;
  strictEqual((await Array.fromAsync(store.list(""))).flat().length, 1);
  hangs = Infinity;
  await rejects(store.size("index/one"), {
    message: "Cannot find the size of index/one: no answer in time",
    code: "ETIMEDOUT",
  });
  strictEqual(timing.alarmCount, 0);
});

Deno.test("MeterStore counts", async () => {
  const meter = new Meter();
  const flaky = new FaultStore(new MemoryStore(), {
    at: [{ call: 3, fault: "error" }],
  });
  const store = new MeterStore(flaky, meter);
  await store.create("index/one", bytes);
  await store.create("index/one", bytes);
  await rejects(store.read("index/one"), { code: "EIO" });
  await store.read("index/one", { length: 7 });
  await Array.fromAsync(store.list(""));
  const { requests, failures, inFlight, bytesIn, bytesOut, byAction } = meter;
  deepStrictEqual(
    { requests, failures, inFlight, bytesIn, bytesOut },
    { requests: 6, failures: 1, inFlight: 0, bytesIn: 7, bytesOut: 300 },
  );
  deepStrictEqual(Object.fromEntries(byAction), {
    create: 2,
    read: 2,
    list: 2,
  });
});

Deno.test("LimitStore paces what it reads and writes", async () => {
  const timing = new FakeTiming();
  const limiter = new Limiter({ timing, bytesPerSecond: 100 });
  const store = new LimitStore(new MemoryStore(), limiter);
  await store.create("index/one", bytes);
  await store.read("index/one");
  await store.read("index/one", { length: 50 });
  await store.size("index/one");
  // 300 bytes up, 300 down, 50 down: each waits until those before have gone by.
  deepStrictEqual(timing.pauses, [3000, 3000, 500]);
});

Deno.test("LimitStore hears of calls that ask for fewer", async () => {
  const timing = new FakeTiming();
  const limiter = new Limiter({ timing });
  class Busy extends MeterStore {
    override size(): Promise<never> {
      return Promise.reject(
        new RemoteError("Cannot size: busy", {
          code: "SlowDown",
          action: "size",
          isThrottled: true,
        }),
      );
    }
  }
  const store = new LimitStore(new Busy(new MemoryStore()), limiter);
  strictEqual(limiter.window, 8);
  await rejects(store.size("index/one"), { code: "SlowDown" });
  strictEqual(limiter.window, 4);
});

Deno.test("wrappers show the files of a store that has some", () => {
  class WithFiles extends MemoryStore {
    localPath(name: string): string {
      return `/store/${name}`;
    }
  }
  for (const wrap of Object.values(wrappers)) {
    strictEqual(wrap(new MemoryStore()).localPath, undefined);
    const store = wrap(new WithFiles());
    strictEqual(store.localPath!("index/one"), "/store/index/one");
  }
});

Deno.test("Limiter refuses limits that let nothing through", () => {
  for (const value of [0, -1, NaN]) {
    throws(() => new Limiter({ requestsMax: value }), RangeError);
    throws(() => new Limiter({ bytesPerSecond: value }), RangeError);
    throws(() => new Limiter({ bytesInFlightMax: value }), RangeError);
  }
  ok(new Limiter({ bytesPerSecond: Infinity }));
});
