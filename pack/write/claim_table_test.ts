import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { startWorker } from "@snap/posix/worker";
import { noise } from "../../tests/_snapshots.ts";
import { Claim, ClaimTable } from "./claim_table.ts";
import type { ClaimOutcome, ClaimTask } from "../testdata/claim_worker.ts";

const WORKER = new URL("../testdata/claim_worker.ts", import.meta.url);

function idsOf(count: number): Uint8Array {
  return noise(32 * count, 1);
}

/** Lets workers claim the same ids at once, each from another one on. */
async function race(
  table: ClaimTable,
  ids: Uint8Array,
  workerCount: number,
): Promise<Uint8Array[]> {
  const ready = new SharedArrayBuffer(4);
  const count = ids.length / 32;
  const outcomes: Promise<Uint8Array>[] = [];
  for (let i = 0; i < workerCount; i++) {
    const worker = startWorker(WORKER);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    worker.onMessage((message) => {
      resolve((message as ClaimOutcome).answers);
      worker.end();
    });
    worker.onError(reject);
    const first = Math.floor(count * i / workerCount / 8);
    const task: ClaimTask = {
      table: table.buffer,
      ids,
      first,
      ready,
      workerCount,
    };
    worker.postMessage(task);
    outcomes.push(Promise.all([promise, worker.ended]).then(([a]) => a));
  }
  return await Promise.all(outcomes);
}

/** How many workers were told to store each id. */
function claimsOf(outcomes: Uint8Array[]): number[] {
  return Array.from(
    outcomes[0],
    (_, i) => outcomes.filter((answers) => answers[i] === Claim.yours).length,
  );
}

Deno.test("ClaimTable gives each id to one of several workers", async () => {
  const table = new ClaimTable(2 ** 16);
  const ids = idsOf(30_000);
  const outcomes = await race(table, ids, 4);
  ok(claimsOf(outcomes).every((count) => count === 1));
  ok(outcomes.every((answers) => !answers.includes(Claim.full)));
  equal(table.count, 30_000);
});

Deno.test("ClaimTable tells ids apart by their last byte, and workers agree", async () => {
  const table = new ClaimTable(2 ** 12);
  const ids = new Uint8Array(32 * 200);
  // All in one chain: each waits for the others' busy slots.
  for (let i = 0; i < 200; i++) ids[32 * i + 31] = i;
  const outcomes = await race(table, ids, 4);
  ok(claimsOf(outcomes).every((count) => count === 1));
  equal(table.count, 200);
});

Deno.test("ClaimTable that fills up under several workers gives no id twice", async () => {
  const table = new ClaimTable(256);
  const outcomes = await race(table, idsOf(2000), 4);
  const claims = claimsOf(outcomes);
  ok(claims.every((count) => count <= 1));
  const count = claims.reduce((sum, one) => sum + one, 0);
  equal(table.count, count);
  // Who looks at once may find room at once.
  ok(count >= 153 && count <= 153 + 4, `${count}`);
  equal(table.isFull, true);
});

Deno.test("ClaimTable knows what it holds when it is full, and forgets it when cleared", () => {
  const table = new ClaimTable(256);
  const ids = idsOf(400);
  const answers = Array.from(
    { length: 400 },
    (_, i) => table.claim(ids, 32 * i),
  );
  equal(answers[0], Claim.yours);
  equal(answers[399], Claim.full);
  for (let i = 0; i < 400; i++) {
    const again = table.claim(ids, 32 * i);
    equal(again, answers[i] === Claim.yours ? Claim.taken : Claim.full);
  }
  const other = new ClaimTable(table.buffer);
  equal(other.claim(ids, 0), Claim.taken);
  table.clear();
  equal(other.count, 0);
  equal(other.isFull, false);
  equal(other.claim(ids, 0), Claim.yours);
  equal(table.claim(ids, 0), Claim.taken);
});

Deno.test("ClaimTable that was cleared tells new ids from those that it had", () => {
  const table = new ClaimTable(256);
  const ids = idsOf(200);
  for (let i = 0; i < 100; i++) table.claim(ids, 32 * i);
  table.clear();
  for (let i = 199; i >= 50; i--) {
    equal(table.claim(ids, 32 * i), Claim.yours, `${i}`);
  }
  for (let i = 0; i < 200; i++) equal(table.has(ids, 32 * i), i >= 50, `${i}`);
});

Deno.test("ClaimTable reads an id at any offset, and takes zeros for an id", () => {
  const table = new ClaimTable(256);
  const bytes = noise(100, 5);
  equal(table.claim(bytes, 3), Claim.yours);
  equal(table.claim(bytes.slice(3, 35), 0), Claim.taken);
  const zeros = new Uint8Array(32);
  equal(table.claim(zeros, 0), Claim.yours);
  equal(table.claim(zeros, 0), Claim.taken);
});

Deno.test("ClaimTable takes a power of two that leaves room for all workers", () => {
  for (const slots of [0, 1, 100, 128, 255, 300, 2.5]) {
    throws(() => new ClaimTable(slots), RangeError);
  }
  throws(() => new ClaimTable(new SharedArrayBuffer(1000)), RangeError);
  deepEqual(new ClaimTable(256).count, 0);
});

Deno.test("ClaimTable.has tells what was claimed, and claims nothing", () => {
  const table = new ClaimTable(256);
  const ids = idsOf(100);
  for (let i = 0; i < 100; i++) {
    equal(table.has(ids, 32 * i), false);
    equal(table.claim(ids, 32 * i), Claim.yours);
    equal(table.has(ids, 32 * i), true);
  }
  equal(table.count, 100);
  table.clear();
  equal(table.has(ids, 0), false);
});
