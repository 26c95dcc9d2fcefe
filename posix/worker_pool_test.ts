import { deepEqual, equal, ok } from "node:assert/strict";
import { type PoolJob, type PoolOwner, WorkerPool } from "./worker_pool.ts";
import type { ToPoolWorker } from "./testdata/pool_worker.ts";
import { WorkerError } from "./worker/worker.ts";

const URL_OF_WORKER = new URL("./testdata/pool_worker.ts", import.meta.url);

interface Result {
  readonly number: number;
}

/** An owner that writes down what happens to it. */
class Owner implements PoolOwner<PoolJob, Result>, AsyncDisposable {
  readonly pool: WorkerPool<PoolJob, Result>;
  /** Numbers of jobs in the order in which they were given away. */
  readonly given: number[] = [];
  readonly results: number[] = [];
  readonly failures: unknown[] = [];
  /** Jobs that workers say that they have. */
  hadCount = 0;
  begun = 0;
  helped = 0;
  ended = 0;
  #had = Promise.withResolvers<void>();

  constructor(count: number) {
    this.pool = new WorkerPool({ count, url: URL_OF_WORKER, owner: this });
  }

  begin(): ToPoolWorker {
    this.begun++;
    return { type: "begin" };
  }

  give({ number }: PoolJob): ToPoolWorker {
    this.given.push(number);
    return { type: "job", number };
  }

  help(): ToPoolWorker {
    this.helped++;
    return { type: "help" };
  }

  end(): ToPoolWorker {
    this.ended++;
    return { type: "end" };
  }

  takeResult({ number }: PoolJob, result: Result): void {
    equal(result.number, number);
    if (number < 0) throw new TypeError("no such job");
    this.results.push(number);
  }

  receive(message: unknown): void {
    if ((message as { type: string }).type !== "has") return;
    this.hadCount++;
    this.#had.resolve();
    this.#had = Promise.withResolvers();
  }

  fail(error: unknown): void {
    this.failures.push(error);
  }

  submit(...numbers: number[]): void {
    for (const number of numbers) this.pool.submit({ number, byteCount: 10 });
  }

  /** Waits until workers have so many jobs, of all that they were ever given. */
  async had(count: number): Promise<void> {
    while (this.hadCount < count) await this.#had.promise;
  }

  /** Lets workers end what they have; answers come before the next call. */
  async release(): Promise<void> {
    await this.pool.ask({ type: "release" } satisfies ToPoolWorker);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.close();
    equal(this.ended, this.begun);
  }
}

Deno.test("WorkerPool gives each worker two jobs, and the next when one has ended", async () => {
  await using owner = new Owner(1);
  const { pool } = owner;
  owner.submit(1, 2, 3, 4, 5);
  deepEqual([owner.given, pool.waitingCount], [[1, 2], 3]);
  await owner.had(2);
  await owner.release();
  deepEqual([owner.given, owner.results], [[1, 2, 3, 4], [1, 2]]);
  equal(pool.isBusy, true);
  await owner.had(4);
  await owner.release();
  await owner.had(5);
  await owner.release();
  deepEqual(owner.results, [1, 2, 3, 4, 5]);
  equal(pool.isBusy, false);
});

Deno.test("WorkerPool starts the last of several workers for many jobs only, and gives jobs back until then", async () => {
  await using owner = new Owner(2);
  const { pool } = owner;
  owner.submit(1, 2, 3, 4);
  equal(owner.begun, 1);
  equal(pool.takeBack(9), undefined, "it is too large");
  equal(pool.takeBack(10)!.number, 3);
  owner.submit(...Array.from({ length: 252 }, (_, i) => i + 5));
  equal(owner.begun, 2);
  equal(pool.takeBack(10), undefined, "all workers are there");
  deepEqual(owner.given, [1, 2, 4, 5], "to the one that has less");
});

Deno.test("WorkerPool does a shared job with all workers when all are free, and nothing beside it", async () => {
  await using owner = new Owner(2);
  const { pool } = owner;
  owner.submit(1);
  pool.submit({ number: 2, byteCount: 10, isShared: true });
  owner.submit(3);
  equal(owner.begun, 2);
  await owner.had(1);
  deepEqual([owner.given, owner.helped], [[1], 0]);
  await owner.release();
  while (owner.given.length < 2) await pool.changed();
  deepEqual([owner.given, owner.helped], [[1, 2], 1]);
  await owner.had(2);
  await owner.release();
  await owner.had(3);
  deepEqual(owner.given, [1, 2, 3]);
  await owner.release();
  deepEqual(owner.results, [1, 2, 3]);
});

Deno.test("WorkerPool at rest ends what is in hand and gives nothing", async () => {
  await using owner = new Owner(1);
  const { pool } = owner;
  owner.submit(1, 2, 3);
  await owner.had(2);
  const resting = pool.rest();
  await owner.release();
  await resting;
  deepEqual([owner.given, owner.results], [[1, 2], [1, 2]]);
  equal(pool.isBusy, true);
  pool.resume();
  await owner.had(3);
  await owner.release();
  deepEqual(owner.results, [1, 2, 3]);
});

Deno.test("WorkerPool tells of the first failure, and of nothing after it", async () => {
  await using owner = new Owner(2);
  const { pool } = owner;
  owner.submit(-1, 2, 3);
  await owner.had(2);
  await owner.release();
  equal(owner.failures.length, 1);
  ok(owner.failures[0] instanceof TypeError, "what the owner throws");
  deepEqual([owner.results, pool.isBusy], [[], false]);
  await pool.rest();
  await owner.release();
  equal(owner.failures.length, 1);
});

Deno.test("WorkerPool of a worker that fails ends every wait", async () => {
  const owner = new Owner(1);
  const { pool } = owner;
  owner.submit(1);
  await owner.had(1);
  await pool.ask({ type: "release", fails: true } satisfies ToPoolWorker);
  const [error] = owner.failures;
  ok(error instanceof WorkerError);
  equal(error.record.name, "RangeError");
  deepEqual([owner.results, pool.isBusy], [[], false]);
  await pool.close();
});

Deno.test("WorkerPool that is stopped takes no result", async () => {
  await using owner = new Owner(1);
  const { pool } = owner;
  owner.submit(1, 2, 3);
  await owner.had(2);
  pool.stop();
  await pool.rest();
  await owner.release();
  deepEqual([owner.given, owner.results, owner.failures], [[1, 2], [], []]);
});
