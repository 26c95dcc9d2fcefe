import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  NotFoundError,
  type ReadOptions,
  type ReadStore,
  StoreError,
} from "@snap/store";
import { RemoteRanges } from "./remote_ranges.ts";

/** A read that the test answers. */
interface HeldRead {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  readonly signal: AbortSignal | undefined;
  readonly isFresh: boolean;
  answer(): void;
  fail(error: unknown): void;
}

/** A store whose reads wait until the test answers them; byte `i` of a file is `i` modulo 251. */
class HeldStore implements ReadStore {
  readonly reads: HeldRead[] = [];

  read(name: string, options: ReadOptions = {}): Promise<Uint8Array> {
    const { offset = 0, length = 0, signal, isFresh = false } = options;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    signal?.addEventListener("abort", () => reject(signal.reason));
    this.reads.push({
      name,
      offset,
      length,
      signal,
      isFresh,
      answer: () => resolve(bytesAt(offset, length)),
      fail: reject,
    });
    return promise;
  }

  size(): Promise<number> {
    return Promise.resolve(1 << 30);
  }

  async *list(): AsyncGenerator<never> {}

  /** The ranges asked for since the last call. */
  asked(): string[] {
    return this.reads.splice(0).map((read) =>
      `${read.name} ${read.offset}+${read.length}`
    );
  }

  /** Answers all reads there are. */
  answerAll(): void {
    for (const read of this.reads.splice(0)) read.answer();
  }
}

function bytesAt(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (offset + i) % 251);
}

/** Lets everything happen that waits for nothing. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

Deno.test("remote ranges: a range is taken once it has arrived", async () => {
  const store = new HeldStore();
  await using ranges = new RemoteRanges(store);
  strictEqual(ranges.take("a", 10, 4), undefined);
  strictEqual(ranges.wanted.length, 1);
  const arrived = ranges.arrived();
  await settled();
  store.answerAll();
  await arrived;
  deepStrictEqual(ranges.take("a", 10, 4), bytesAt(10, 4));
  strictEqual(ranges.wanted.length, 0);
});

Deno.test("remote ranges: what two ask for is read once, neighbours are read together", async () => {
  const store = new HeldStore();
  await using ranges = new RemoteRanges(store);
  ranges.take("a", 0, 100);
  ranges.take("a", 0, 100);
  ranges.take("a", 300, 50);
  ranges.take("a", 100_000, 10);
  ranges.take("b", 0, 10);
  const arrived = ranges.arrived();
  await settled();
  const reads = [...store.reads];
  deepStrictEqual(store.asked(), ["a 0+350", "a 100000+10", "b 0+10"]);
  for (const read of reads) read.answer();
  await arrived;
  await settled();
  deepStrictEqual(ranges.take("a", 300, 50), bytesAt(300, 50));
  deepStrictEqual(ranges.take("a", 0, 100), bytesAt(0, 100));
  deepStrictEqual(ranges.take("b", 0, 10), bytesAt(0, 10));
});

Deno.test("remote ranges: no more reads are under way than a limit, wanted ones go before hints", async () => {
  const store = new HeldStore();
  await using ranges = new RemoteRanges(store, { readsMax: 2 });
  ranges.hint("a", 0, 1);
  ranges.hint("b", 0, 1);
  ranges.hint("c", 0, 1);
  ranges.take("d", 0, 1);
  await settled();
  strictEqual(store.reads.length, 2);
  strictEqual(store.reads[0].name, "d");
  store.answerAll();
  await settled();
  deepStrictEqual(store.asked(), ["b 0+1", "c 0+1"]);
});

Deno.test("remote ranges: a failure is thrown once, then the range is read again", async () => {
  const store = new HeldStore();
  await using ranges = new RemoteRanges(store);
  ranges.take("a", 0, 4);
  const arrived = ranges.arrived();
  await settled();
  store.reads.splice(0)[0].fail(new NotFoundError("a"));
  await arrived;
  throws(() => ranges.take("a", 0, 4), NotFoundError);
  strictEqual(ranges.take("a", 0, 4), undefined);
  const again = ranges.arrived();
  await settled();
  store.answerAll();
  await again;
  deepStrictEqual(ranges.take("a", 0, 4), bytesAt(0, 4));
});

Deno.test("remote ranges: what is distrusted is read once more, from the store itself", async () => {
  const store = new HeldStore();
  await using ranges = new RemoteRanges(store);
  const read = async (isFresh: boolean): Promise<void> => {
    strictEqual(ranges.take("a", 0, 4), undefined);
    const arrived = ranges.arrived();
    await settled();
    deepStrictEqual(store.reads.map((one) => one.isFresh), [isFresh]);
    store.answerAll();
    await arrived;
    deepStrictEqual(ranges.take("a", 0, 4), bytesAt(0, 4));
  };
  strictEqual(ranges.distrust("a", 0, 4), false);
  await read(false);
  strictEqual(ranges.distrust("a", 0, 4), true);
  await read(true);
  strictEqual(ranges.distrust("a", 0, 4), false);
});

Deno.test("remote ranges: a file that is too short for one range may hold its neighbour", async () => {
  const store = new HeldStore();
  await using ranges = new RemoteRanges(store);
  ranges.take("a", 0, 4);
  ranges.take("a", 100, 4);
  const arrived = ranges.arrived();
  await settled();
  const short = new StoreError("Cannot read a as it ends", {
    code: "SHORT",
    action: "read",
    storeName: "a",
  });
  store.reads.splice(0)[0].fail(short);
  await settled();
  const [first, second] = store.reads.splice(0);
  second.fail(short);
  first.answer();
  await arrived;
  await settled();
  deepStrictEqual(ranges.take("a", 0, 4), bytesAt(0, 4));
  throws(() => ranges.take("a", 100, 4), StoreError);
});

Deno.test("remote ranges: who is aborted ends the read that nobody else waits for", async () => {
  const store = new HeldStore();
  await using ranges = new RemoteRanges(store);
  const stop = new AbortController();
  ranges.take("a", 0, 4);
  ranges.take("a", 4, 4);
  const first = ranges.arrived({ signal: stop.signal });
  ranges.take("b", 0, 4);
  const second = ranges.arrived({ signal: stop.signal });
  ranges.take("b", 0, 4);
  const third = ranges.arrived();
  await settled();
  const [a, b] = store.reads;
  stop.abort(new Error("enough"));
  await rejects(first, /enough/);
  await rejects(second, /enough/);
  strictEqual(a.signal?.aborted, true);
  strictEqual(b.signal?.aborted, false);
  b.answer();
  await third;
  deepStrictEqual(ranges.take("b", 0, 4), bytesAt(0, 4));
});

Deno.test("remote ranges: what was taken makes room, what is awaited stays", async () => {
  const store = new HeldStore();
  await using ranges = new RemoteRanges(store, { sizeMax: 100 });
  ranges.take("a", 0, 60);
  ranges.take("b", 0, 60);
  const arrived = ranges.arrived();
  await settled();
  store.answerAll();
  await arrived;
  await settled();
  deepStrictEqual(ranges.take("a", 0, 60), bytesAt(0, 60));
  deepStrictEqual(ranges.take("b", 0, 60), bytesAt(0, 60));
  ranges.hint("c", 0, 60);
  await settled();
  store.answerAll();
  await settled();
  strictEqual(ranges.take("a", 0, 60), undefined);
  ranges.forgetWanted();
});

Deno.test("remote ranges: what was asked for ahead stays as long as there is something that was taken", async () => {
  const store = new HeldStore();
  await using ranges = new RemoteRanges(store, { sizeMax: 100, joinedMax: 60 });
  const names = ["a", "b", "c"];
  const arrive = async (name: string): Promise<void> => {
    ranges.hint(name, 0, 40);
    await settled();
    store.answerAll();
    await settled();
  };
  await arrive("a");
  await arrive("b");
  deepStrictEqual(ranges.take("b", 0, 40), bytesAt(0, 40));
  await arrive("c");
  const there = names.map((name) => ranges.take(name, 0, 40) !== undefined);
  deepStrictEqual(there, [true, false, true]);
  ranges.forgetWanted();
});

Deno.test("remote ranges: a read has no more bytes than it may, unless one range has", async () => {
  const store = new HeldStore();
  await using ranges = new RemoteRanges(store, { joinedMax: 60 });
  for (const [offset, length] of [[0, 30], [30, 30], [60, 90], [150, 20]]) {
    ranges.hint("a", offset, length);
  }
  await settled();
  deepStrictEqual(store.asked(), ["a 0+60", "a 60+90", "a 150+20"]);
});

Deno.test("remote ranges: who waits at the end, or asks after it, is answered", async () => {
  const store = new HeldStore();
  const ranges = new RemoteRanges(store);
  ranges.take("a", 0, 4);
  const first = ranges.arrived();
  await settled();
  await ranges[Symbol.asyncDispose]();
  store.answerAll();
  await first;
  deepStrictEqual(ranges.take("a", 0, 4), bytesAt(0, 4));
  strictEqual(ranges.take("b", 0, 4), undefined);
  const second = ranges.arrived();
  await settled();
  store.answerAll();
  await second;
  deepStrictEqual(ranges.take("b", 0, 4), bytesAt(0, 4));
});

Deno.test("remote ranges: the end waits for every read that nobody waits for", async () => {
  const store = new HeldStore();
  const ranges = new RemoteRanges(store);
  ranges.hint("a", 0, 4);
  await settled();
  await ranges[Symbol.asyncDispose]();
  strictEqual(store.reads[0].signal?.aborted, true);
});
