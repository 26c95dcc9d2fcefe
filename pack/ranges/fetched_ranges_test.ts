import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { NotFoundError, StoreError } from "@snap/store";
import { BLOCK_SIZE, FetchMemory } from "./fetch_memory.ts";
import {
  failureAnswer,
  FetchAnswers,
  FetchedRanges,
  type FetchWant,
} from "./fetched_ranges.ts";

function scene() {
  const memory = FetchMemory.create(0);
  const answers = new FetchAnswers();
  const asked: FetchWant[] = [];
  const ranges = new FetchedRanges({
    memory: new FetchMemory(memory.buffer),
    answers: new FetchAnswers(answers.buffer),
    ask: (wants) => asked.push(...wants),
  });
  return { memory, answers, asked, ranges };
}

function storeError(code: string): StoreError {
  return new StoreError("Cannot read", { code, action: "read" });
}

function block(first: number, size: number = BLOCK_SIZE): Uint8Array {
  return new Uint8Array(size).fill(first);
}

Deno.test("FetchMemory keeps blocks until their slot is used again", () => {
  const memory = FetchMemory.create(0);
  strictEqual(memory.slotCount, 8);
  const stamp = memory.put(3, Uint8Array.of(1, 2, 3));
  const out = new Uint8Array(2);
  strictEqual(memory.copy(stamp, 1, out), 2);
  deepStrictEqual(out, Uint8Array.of(2, 3));
  strictEqual(memory.copy(stamp, 2, out), 1);
  strictEqual(memory.copy(stamp, 9, out), 0);
  ok(memory.has(stamp));
  const next = memory.put(3, Uint8Array.of(9));
  ok(!memory.has(stamp) && memory.has(next) && next !== stamp);
  strictEqual(memory.copy(stamp, 0, out), -1);
});

Deno.test("FetchedRanges asks for what is missing, all at once and once", () => {
  const { memory, answers, asked, ranges } = scene();
  const fileSize = 3 * BLOCK_SIZE;
  const read = () => ranges.take("packs/a", BLOCK_SIZE - 2, 4, fileSize);
  const want = { name: "packs/a", fileSize, isFresh: false };
  strictEqual(read(), undefined);
  strictEqual(read(), undefined);
  strictEqual(ranges.wanted.length, 4);
  ranges.flush();
  ranges.flush();
  deepStrictEqual(asked, [
    { ...want, number: 1, block: 0 },
    { ...want, number: 2, block: 1 },
  ]);
  ok(!ranges.settle());
  answers.set(1, memory.put(0, block(7)));
  ok(ranges.settle());
  ok(!ranges.isWaiting(1) && ranges.isWaiting(2));
  strictEqual(read(), undefined);
  answers.set(2, memory.put(1, block(8)));
  ok(ranges.settle());
  deepStrictEqual(read(), Uint8Array.of(7, 7, 8, 8));
  ranges.flush();
  strictEqual(asked.length, 2);
});

Deno.test("FetchedRanges asks once for the blocks of the store itself where they were damaged", () => {
  const { memory, answers, asked, ranges } = scene();
  const range = ["packs/a", BLOCK_SIZE - 1, 2] as const;
  const answer = () => {
    ranges.forgetWanted();
    strictEqual(ranges.take(...range), undefined);
    ranges.flush();
    const wants = asked.splice(0);
    for (const { number, block: i } of wants) {
      answers.set(number, memory.put(i, block(i)));
    }
    ranges.settle();
    deepStrictEqual(ranges.take(...range), Uint8Array.of(0, 1));
    return wants.map(({ isFresh }) => isFresh);
  };
  deepStrictEqual(answer(), [false, false]);
  strictEqual(ranges.distrust(...range), true);
  deepStrictEqual(answer(), [true, true]);
  strictEqual(ranges.distrust(...range), false);
  // What had to make room may come from a copy again.
  memory.put(0, block(9));
  deepStrictEqual(answer(), [false]);
  strictEqual(ranges.distrust(...range), true);
});

Deno.test("FetchedRanges asks again for a block that is gone", () => {
  const { memory, answers, asked, ranges } = scene();
  ranges.take("packs/a", 0, 1);
  ranges.flush();
  answers.set(1, memory.put(0, block(1)));
  ranges.settle();
  memory.put(0, block(2));
  ranges.forgetWanted();
  strictEqual(ranges.take("packs/a", 0, 1), undefined);
  ranges.flush();
  deepStrictEqual(ranges.wanted, [2]);
  strictEqual(asked.length, 2);
});

for (
  const [name, error, expected] of [
    ["an absent file", new NotFoundError("packs/a"), NotFoundError],
    ["a failing store", storeError("EACCES"), StoreError],
  ] as const
) {
  Deno.test(`FetchedRanges throws for ${name}, until failures are forgotten`, () => {
    const { answers, ranges } = scene();
    const read = () => ranges.take("packs/a", 0, 1);
    read();
    ranges.flush();
    answers.set(1, failureAnswer(error));
    ok(ranges.settle());
    throws(read, expected);
    throws(read, expected);
    ranges.forgetFailures();
    strictEqual(read(), undefined);
  });
}

Deno.test("FetchedRanges throws where a file ends before the range", () => {
  const { memory, answers, ranges } = scene();
  ranges.take("packs/a", 5, 10);
  ranges.flush();
  answers.set(1, memory.put(0, block(1, 12)));
  ranges.settle();
  deepStrictEqual(ranges.take("packs/a", 5, 7), block(1, 7));
  throws(() => ranges.take("packs/a", 5, 8), { code: "SHORT" });
});

Deno.test("FetchedRanges has room for 10,000 blocks that come and go", () => {
  const { memory, answers, ranges } = scene();
  for (let i = 0; i < 10_000; i++) {
    ranges.forgetWanted();
    strictEqual(ranges.take(`packs/${i}`, 0, 1), undefined);
    ranges.flush();
    answers.set(ranges.wanted[0], memory.put(i % 8, Uint8Array.of(i)));
    ranges.settle();
    deepStrictEqual(ranges.take(`packs/${i}`, 0, 1), Uint8Array.of(i));
  }
});

Deno.test("FetchedRanges refuses more than it can wait for", () => {
  const { ranges } = scene();
  for (let i = 0; i < 1 << 14; i++) ranges.take("packs/a", i * BLOCK_SIZE, 1);
  throws(() => ranges.take("packs/b", 0, 1), { code: "EBUSY" });
});

Deno.test("FetchedRanges announces blocks without waiting for them", () => {
  const { memory, answers, asked, ranges } = scene();
  ranges.hint("packs/a", BLOCK_SIZE - 2, 4);
  ranges.hint("packs/a", BLOCK_SIZE, 4);
  ranges.flush();
  deepStrictEqual(asked.map(({ block }) => block), [0, 1]);
  deepStrictEqual(ranges.wanted, []);
  for (const { number } of asked) {
    answers.set(number, memory.put(number, block(number)));
  }
  ranges.settle();
  deepStrictEqual(
    ranges.take("packs/a", BLOCK_SIZE - 1, 2),
    Uint8Array.of(1, 2),
  );
  ranges.hint("packs/a", 0, 1);
  ranges.flush();
  strictEqual(asked.length, 2);
  for (let i = 0; i < 1000; i++) ranges.hint("packs/b", i * BLOCK_SIZE, 1);
  ranges.flush();
  ok(asked.length < 200, "what is read ahead has a limit");
});

Deno.test("FetchedRanges that are apart keep what they gave", () => {
  const { memory, answers, ranges } = scene();
  const [one, other] = [ranges.apart(), ranges.apart()];
  one.take("packs/a", 0, 2);
  ranges.take("packs/a", BLOCK_SIZE, 2);
  ranges.flush();
  answers.set(1, memory.put(0, block(1)));
  answers.set(2, memory.put(1, block(2)));
  ranges.settle();
  const bytes = one.take("packs/a", 0, 2);
  deepStrictEqual(
    other.take("packs/a", BLOCK_SIZE, 2),
    Uint8Array.of(2, 2),
  );
  ranges.take("packs/a", BLOCK_SIZE, 2);
  deepStrictEqual(bytes, Uint8Array.of(1, 1));
});

Deno.test("FetchedRanges sleep until an answer has come, or all is over", () => {
  const { memory, answers, ranges } = scene();
  ranges.sleep(() => false); // Nothing was asked for.
  ranges.take("packs/a", 0, 1);
  ranges.sleep(() => true);
  strictEqual(ranges.take("packs/a", 0, 1), undefined);
  answers.set(1, memory.put(0, block(7)));
  ranges.sleep(() => false);
  deepStrictEqual(ranges.take("packs/a", 0, 1), Uint8Array.of(7));
});
