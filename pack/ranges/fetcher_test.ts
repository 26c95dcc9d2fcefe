import { deepStrictEqual, fail, ok, strictEqual } from "node:assert/strict";
import {
  NotFoundError,
  type ReadOptions,
  type ReadStore,
  StoreError,
} from "@snap/store";
import { MemoryStore } from "@snap/store/memory";
import { BLOCK_SIZE, FetchMemory } from "./fetch_memory.ts";
import { failureAnswer } from "./fetched_ranges.ts";
import { Fetcher } from "./fetcher.ts";

/** A store that notes what is read, and answers when it is told. */
class SlowStore implements ReadStore {
  readonly inner = new MemoryStore();
  /** Ranges in blocks: name, first, number. */
  readonly reads: [string, number, number][] = [];
  /** Names of files of which copies are not wanted. */
  readonly fresh: string[] = [];
  readonly waiting: PromiseWithResolvers<void>[] = [];
  /** How often a size was asked for. */
  sizeCount = 0;
  isSlow = false;

  async read(name: string, options: ReadOptions = {}): Promise<Uint8Array> {
    const { offset = 0, length = 0 } = options;
    const blocks = Math.ceil(length / BLOCK_SIZE);
    this.reads.push([name, offset / BLOCK_SIZE, blocks]);
    if (options.isFresh) this.fresh.push(name);
    if (this.isSlow) {
      const gate = Promise.withResolvers<void>();
      this.waiting.push(gate);
      await gate.promise;
    }
    return await this.inner.read(name, options);
  }

  size(name: string): Promise<number | undefined> {
    this.sizeCount++;
    return this.inner.size(name);
  }

  list(prefix: string) {
    return this.inner.list(prefix);
  }
}

/** Answers of a fetcher, and what waits for them. */
function scene(deadlineMs = 60_000, blockCount = 0, isOnce = false) {
  const store = new SlowStore();
  const memory = FetchMemory.create(blockCount * BLOCK_SIZE);
  const answers = new Map<number, number>();
  const faults: string[] = [];
  let wake = () => {};
  const fetcher = new Fetcher({
    store,
    memory,
    deadlineMs,
    isOnce,
    answer: (_, number, answer) => {
      answers.set(number, answer);
      wake();
    },
    onFault: (name, error) => faults.push(`${name}: ${(error as Error).name}`),
  });
  const answered = async (count: number): Promise<void> => {
    while (answers.size < count) {
      await new Promise<void>((resolve) => wake = resolve);
    }
  };
  const want = (
    number: number,
    name: string,
    block: number,
    isFresh = false,
  ) => ({ number, name, block, isFresh, fileSize: undefined });
  return { store, memory, answers, faults, fetcher, answered, want };
}

async function fill(store: SlowStore, name: string, blocks: number) {
  const bytes = new Uint8Array(blocks * BLOCK_SIZE - 10);
  for (let i = 0; i < blocks; i++) bytes.fill(i + 1, i * BLOCK_SIZE);
  await store.inner.create(name, bytes);
}

Deno.test("Fetcher reads neighbours at once, and each block once", async () => {
  const { store, memory, answers, fetcher, answered, want } = scene();
  await fill(store, "packs/a", 6);
  fetcher.take(0, [want(1, "packs/a", 1), want(2, "packs/a", 2)]);
  fetcher.take(1, [want(3, "packs/a", 2), want(4, "packs/a", 5)]);
  await answered(4);
  const first = new Uint8Array(1);
  for (const [number, value] of [[1, 2], [2, 3], [3, 3], [4, 6]]) {
    strictEqual(memory.copy(answers.get(number)!, 0, first), 1);
    strictEqual(first[0], value);
  }
  fetcher.take(0, [want(9, "packs/a", 5)]);
  strictEqual(answers.get(9), answers.get(4));
  await fetcher.stop();
  deepStrictEqual(store.reads, [["packs/a", 1, 2], ["packs/a", 5, 1]]);
});

Deno.test("Fetcher reads a block from the store itself that was damaged, once for all", async () => {
  const { store, memory, answers, fetcher, answered, want } = scene();
  await fill(store, "packs/a", 8);
  for (let i = 0; i < 8; i++) fetcher.take(0, [want(i, "packs/a", i)]);
  await answered(8);
  deepStrictEqual(store.fresh, []);
  fetcher.take(0, [want(10, "packs/a", 2, true)]);
  fetcher.take(1, [want(11, "packs/a", 2, true)]);
  await answered(10);
  fetcher.take(1, [want(12, "packs/a", 2, true), want(13, "packs/a", 2)]);
  await answered(12);
  deepStrictEqual(store.fresh, ["packs/a"]);
  strictEqual(memory.has(answers.get(2)!), false);
  const stamps = new Set([10, 11, 12, 13].map((i) => answers.get(i)));
  strictEqual(stamps.size, 1);
  // No slot was lost: the others are there.
  for (const i of [0, 1, 3, 4, 5, 6, 7]) {
    strictEqual(memory.has(answers.get(i)!), true);
  }
  await fetcher.stop();
});

Deno.test("Fetcher reads further and further ahead in a file that is read in order", async () => {
  const { store, fetcher, answered, want } = scene(60_000, 256);
  const size = 200 * BLOCK_SIZE;
  await store.inner.create("packs/a", new Uint8Array(size));
  for (let i = 0; i < 200; i += 2) {
    // Two workers, the second of which is first.
    fetcher.take(1, [want(i + 1, "packs/a", i + 1)]);
    fetcher.take(0, [want(i, "packs/a", i)]);
    await answered(i + 2);
  }
  await fetcher.stop();
  const counts = store.reads.map(([, , count]) => count);
  strictEqual(counts.reduce((sum, count) => sum + count, 0), 200);
  ok(counts.length < 30, `${counts}`);
  strictEqual(Math.max(...counts), 16);
});

/**
 * Reads files in order as a kernel does, over a link that has its own clock; says
 * which part of the time bytes were on the link.
 */
async function readOver(
  link: { readonly bytesPerSecond: number; readonly delayMs: number },
): Promise<number> {
  const fileCount = 3, blockCount = 256, underWayMax = 4;
  const fileSize = blockCount * BLOCK_SIZE;
  const arrivals: { readonly ms: number; readonly come: () => void }[] = [];
  const bytes = new Uint8Array(16 * BLOCK_SIZE);
  let now = 0, freeMs = 0;
  const store: ReadStore = {
    read(_, { length = 0 } = {}) {
      freeMs = Math.max(freeMs, now + link.delayMs) +
        length / link.bytesPerSecond * 1000;
      const ms = freeMs;
      return new Promise((resolve) => {
        const come = () => resolve(bytes.subarray(0, length));
        arrivals.push({ ms, come });
      });
    },
    size: () => Promise.resolve(fileSize),
    async *list() {},
  };
  const come = new Set<number>();
  const fetcher = new Fetcher({
    store,
    memory: FetchMemory.create(128 * BLOCK_SIZE),
    answer: (_, number) => come.add(number),
    onFault: (_, error) => fail(String(error)),
  });
  const count = fileCount * blockCount;
  for (let done = 0, asked = 0; done < count;) {
    for (; asked < Math.min(count, done + underWayMax); asked++) {
      const name = `packs/${Math.floor(asked / blockCount)}`;
      const block = asked % blockCount;
      fetcher.take(asked % 2, [
        { number: asked, name, block, fileSize, isFresh: false },
      ]);
    }
    await new Promise((resolve) => setTimeout(resolve));
    if (!come.has(done)) {
      const next = arrivals.shift(); // In order, as one link has them.
      now = next?.ms ?? now;
      next?.come();
    } else while (come.has(done)) done++;
  }
  await fetcher.stop();
  return count * BLOCK_SIZE / link.bytesPerSecond * 1000 / now;
}

for (const [bytesPerSecond, part] of [[20e6, 0.95], [100e6, 0.8]] as const) {
  Deno.test(`Fetcher keeps a link of 50 ms and ${bytesPerSecond / 1e6} MB/s busy`, async () => {
    const found = await readOver({ bytesPerSecond, delayMs: 50 });
    ok(found >= part, `${found}`);
  });
}

Deno.test("Fetcher reads only what it is told to where all is read once", async () => {
  const { store, fetcher, answered, want } = scene(60_000, 64, true);
  await fill(store, "packs/a", 40);
  for (let i = 0; i < 6; i++) {
    fetcher.take(0, [want(i + 1, "packs/a", i)]);
    await answered(i + 1);
  }
  await fetcher.stop();
  deepStrictEqual(
    store.reads,
    Array.from({ length: 6 }, (_, i) => ["packs/a", i, 1]),
  );
});

Deno.test("Fetcher reads nothing ahead in a file that is read in no order", async () => {
  const { store, fetcher, answered, want } = scene(60_000, 256);
  await store.inner.create("packs/a", new Uint8Array(200 * BLOCK_SIZE));
  // A range of two blocks each time.
  const places = [0, 150, 50, 110, 20, 180, 80];
  for (const [i, at] of places.entries()) {
    const both = [
      want(2 * i, "packs/a", at),
      want(2 * i + 1, "packs/a", at + 1),
    ];
    fetcher.take(0, both);
    await answered(2 * i + 2);
  }
  await fetcher.stop();
  deepStrictEqual(store.reads, places.map((at) => ["packs/a", at, 2]));
});

Deno.test("Fetcher asks for no size that it was told", async () => {
  const { store, fetcher, answered, want } = scene();
  await fill(store, "packs/a", 2);
  const fileSize = 2 * BLOCK_SIZE - 10;
  fetcher.take(0, [{ ...want(1, "packs/a", 1), fileSize }]);
  await answered(1);
  strictEqual(store.sizeCount, 0);
  await fill(store, "packs/b", 2);
  fetcher.take(0, [want(2, "packs/b", 1)]);
  await answered(2);
  strictEqual(store.sizeCount, 1);
  await fetcher.stop();
});

Deno.test("Fetcher keeps as many blocks as there is room for", async () => {
  const { store, memory, answers, fetcher, answered, want } = scene();
  for (let i = 0; i < 9; i++) await fill(store, `packs/${i}`, 1);
  for (let i = 0; i < 9; i++) {
    fetcher.take(0, [want(i + 1, `packs/${i}`, 0)]);
    await answered(i + 1);
    // The first one is used again and again.
    fetcher.take(0, [want(100 + i, "packs/0", 0)]);
    strictEqual(answers.get(100 + i), answers.get(1));
    answers.delete(100 + i);
  }
  await fetcher.stop();
  const there = Array.from(
    { length: 9 },
    (_, i) => memory.has(answers.get(i + 1)!),
  );
  deepStrictEqual(there, [true, false, ...Array(7).fill(true)]);
});

Deno.test("Fetcher has few reads of one file under way, so that others come", async () => {
  const { store, answers, fetcher, answered, want } = scene();
  await fill(store, "packs/a", 1);
  await fill(store, "packs/b", 1);
  await store.inner.create("packs/a2", new Uint8Array(400 * BLOCK_SIZE));
  store.isSlow = true;
  // So far apart that nothing is joined, nor read ahead.
  for (let i = 0; i < 40; i++) fetcher.take(0, [want(i, "packs/a2", i * 10)]);
  while (store.waiting.length < 16) await new Promise((r) => setTimeout(r));
  strictEqual(store.reads.length, 16);
  store.isSlow = false;
  fetcher.take(1, [want(100, "packs/b", 0)]);
  await answered(1);
  deepStrictEqual([...answers.keys()], [100]);
  for (const gate of store.waiting) gate.resolve();
  await fetcher.stop();
});

Deno.test("Fetcher answers an absent file and a failing store with their errors", async () => {
  const { store, answers, faults, fetcher, answered, want } = scene();
  await fill(store, "packs/b", 1);
  const refused = new StoreError("Cannot read", {
    code: "EACCES",
    action: "read",
  });
  store.read = () => Promise.reject(refused);
  fetcher.take(0, [want(1, "packs/a", 0), want(2, "packs/b", 0)]);
  await answered(2);
  await fetcher.stop();
  deepStrictEqual(
    [answers.get(1), answers.get(2)],
    [failureAnswer(new NotFoundError("packs/a")), failureAnswer(refused)],
  );
  deepStrictEqual(faults.sort(), [
    "packs/a: NotFoundError",
    "packs/b: StoreError",
  ]);
});

Deno.test("Fetcher gives up a store that never answers, and asks it again", async () => {
  const { store, answers, faults, fetcher, answered, want } = scene(1);
  await fill(store, "packs/a", 1);
  store.isSlow = true;
  fetcher.take(0, [want(1, "packs/a", 0)]);
  await answered(1);
  strictEqual(answers.get(1)! < 0, true);
  deepStrictEqual(faults, ["packs/a: StoreError"]);
  store.isSlow = false;
  fetcher.take(0, [want(2, "packs/a", 0)]);
  await answered(2);
  await fetcher.stop();
  strictEqual(answers.get(2)! > 0, true);
});

Deno.test("Fetcher stops what is under way", async () => {
  const { store, fetcher, faults, want } = scene();
  await fill(store, "packs/a", 1);
  store.isSlow = true;
  fetcher.take(0, [want(1, "packs/a", 0)]);
  while (store.waiting.length < 1) await new Promise((r) => setTimeout(r));
  await fetcher.stop();
  deepStrictEqual(faults, []);
});

Deno.test("Fetcher reads what somebody waits for before what is read ahead", async () => {
  const { store, fetcher, answered, want } = scene();
  const size = 99 * BLOCK_SIZE;
  await store.inner.create("packs/a", new Uint8Array(size));
  store.isSlow = true;
  const far = Array.from({ length: 40 }, (_, i) => 2 * i);
  fetcher.ahead({ name: "packs/a", size }, far);
  while (store.waiting.length < 4) await new Promise((r) => setTimeout(r));
  fetcher.take(0, [want(1, "packs/a", 98)]);
  const first = store.reads.length;
  store.isSlow = false;
  for (const gate of store.waiting) gate.resolve();
  await answered(1);
  await fetcher.stop();
  deepStrictEqual(store.reads[first], ["packs/a", 98, 1]);
});

Deno.test("Fetcher has no more bytes under way than its limit", async () => {
  const { store, fetcher } = scene();
  store.isSlow = true;
  const size = 16 * BLOCK_SIZE;
  for (let i = 0; i < 40; i++) {
    await store.inner.create(`packs/${i}`, new Uint8Array(size));
  }
  const blocks = Array.from({ length: 16 }, (_, i) => i);
  for (let i = 0; i < 40; i++) {
    fetcher.ahead({ name: `packs/${i}`, size }, blocks);
  }
  while (store.reads.length < 16) await new Promise((r) => setTimeout(r));
  for (let i = 0; i < 10; i++) await new Promise((r) => setTimeout(r));
  const count = store.reads.reduce((sum, [, , blocks]) => sum + blocks, 0);
  strictEqual(count, 256);
  store.isSlow = false;
  for (const gate of store.waiting) gate.resolve();
  await fetcher.stop();
});
