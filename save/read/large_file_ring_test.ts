import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { startWorker, type WorkerHandle } from "@snap/posix/worker";
import { Pacer } from "@snap/posix/pacer";
import { noise } from "../../tests/_snapshots.ts";
import {
  LargeFileRing,
  RingStoppedError,
  SEGMENT_COUNT,
  SEGMENT_SIZE,
} from "./large_file_ring.ts";
import { type HelpTask, nameChunks } from "../testdata/ring_helper.ts";

const HELPER = new URL("../testdata/ring_helper.ts", import.meta.url);

interface Helper {
  readonly worker: WorkerHandle;
  /** The number of groups it did. */
  readonly count: Promise<number>;
}

function startHelper(ring: LargeFileRing, failAt = 0): Helper {
  const worker = startWorker(HELPER);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  worker.onMessage((count) => resolve(count as number));
  worker.onError(reject);
  // Who asks later still gets it.
  promise.catch(() => {});
  const task: HelpTask = { ring: ring.buffer, failAt };
  worker.postMessage(task);
  return { worker, count: promise };
}

/** Cuts content at random into chunks and groups, and passes it through a ring. */
class Reader {
  readonly ids: string[] = [];
  readonly expected: string[] = [];
  readonly #ring: LargeFileRing;
  #seed = 1;

  constructor(ring: LargeFileRing) {
    this.#ring = ring;
  }

  /** Fills a segment, and announces its groups. */
  publish(number: number): void {
    const ring = this.#ring;
    const segment = number % SEGMENT_COUNT;
    ring.claimSegment(segment, nameChunks);
    const bytes = ring.bytes.subarray(segment * SEGMENT_SIZE);
    bytes.set(noise(SEGMENT_SIZE - this.#below(5000), number + 1));
    const groups: number[] = [], sizes: number[] = [];
    for (let start = 0; start < 1_900_000;) {
      const first = sizes.length, groupStart = start;
      for (let count = 1 + this.#below(6); count > 0; count--) {
        const size = 4096 + this.#below(9000);
        sizes.push(size);
        const chunk = bytes.slice(start, start + size);
        this.expected.push(`${wasmHasher.idOf(chunk)} ${size}`);
        start += size;
      }
      groups.push(groupStart, first, sizes.length - first);
    }
    ring.publish(segment, groups, sizes, nameChunks);
    this.consume();
  }

  consume(): void {
    while (
      this.#ring.consume((ids, offset, size) => {
        const id = Buffer.from(ids.slice(offset, offset + 32)).toString("hex");
        this.ids.push(`${id} ${size}`);
      })
    );
  }

  finish(): void {
    this.#ring.drain(nameChunks);
    this.consume();
    this.#ring.finish();
  }

  #below(limit: number): number {
    this.#seed = (Math.imul(this.#seed, 1103515245) + 12345) >>> 0;
    return (this.#seed >>> 8) % limit;
  }
}

for (const helperCount of [0, 1, 3]) {
  Deno.test(`LargeFileRing gives chunks in order whoever took them: ${helperCount} helpers`, async () => {
    const ring = new LargeFileRing();
    for (let file = 0; file < 2; file++) {
      ring.reset();
      const own = new LargeFileRing(ring.buffer);
      const helpers = Array.from(
        { length: helperCount },
        () => startHelper(ring),
      );
      const reader = new Reader(own);
      // Around the ring more than twice.
      for (let i = 0; i < 20; i++) {
        reader.publish(i);
        await new Pacer().turn();
      }
      reader.finish();
      const counts = await Promise.all(helpers.map(({ count }) => count));
      await Promise.all(helpers.map(({ worker }) => worker.end()));
      ok(counts.every((count) => count <= own.publishedCount));
      equal(own.consumedCount, own.publishedCount);
      equal(reader.ids.length, reader.expected.length);
      deepEqual(reader.ids, reader.expected);
    }
  });
}

Deno.test("LargeFileRing whose helper fails lets go of the reader", async () => {
  const ring = new LargeFileRing();
  const { worker, count } = startHelper(ring, 3);
  const reader = new Reader(ring);
  await rejects(async () => {
    // The helper is asked as soon as this thread lets messages in.
    for (let i = 0;; i++) {
      reader.publish(i);
      await new Pacer().turn();
    }
  }, RingStoppedError);
  equal(ring.isStopped, true);
  await rejects(count, /The helper fails/);
  await rejects(worker.ended, /The helper fails/);
});

Deno.test("LargeFileRing that is stopped lets go of its helpers", async () => {
  const ring = new LargeFileRing();
  const helpers = [startHelper(ring), startHelper(ring)];
  const reader = new Reader(ring);
  reader.publish(0);
  ring.stop();
  for (const { count, worker } of helpers) {
    ok(await count <= ring.publishedCount);
    await worker.end();
  }
  throws(() => {
    for (let i = 1; i < 20; i++) reader.publish(i);
  }, RingStoppedError);
});

Deno.test("LargeFileRing that is finished keeps no helper that comes late", async () => {
  const ring = new LargeFileRing();
  ring.finish();
  const { count, worker } = startHelper(ring);
  equal(await count, 0);
  await worker.end();
});

Deno.test("LargeFileRing lets an error of the reader's own work out, and stops", () => {
  const ring = new LargeFileRing();
  const fail = (): never => {
    throw new RangeError("Own work fails");
  };
  ring.publish(0, [0, 0, 1], [5000], fail);
  throws(() => ring.drain(fail), /Own work fails/);
  equal(ring.isStopped, true);
  throws(() => ring.claimSegment(0, nameChunks), RingStoppedError);
});
