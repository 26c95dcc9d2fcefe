import { startWorker, type WorkerHandle } from "@snap/posix/worker";
import type {
  FromRestoreWorker,
  RestoreBatch,
  RestoreBatchResult,
  RestoreWorkerConfig,
  ToRestoreWorker,
} from "./messages.ts";

/** Batches that a worker has, so that it never waits for one. */
const AHEAD_MAX = 2;
/** Batches of a restore for which the last worker is worth its start: 1 GiB. */
const ALL_WORKERS_MIN = 256;
/** More plain bytes than this are never given back at once: who takes them has to hear signals. */
const BACK_SIZE_MAX = 8 * 1024 * 1024;

/** What {@linkcode RestorePool} needs. */
export interface RestorePoolOptions {
  /** How many workers. */
  readonly count: number;
  readonly configOf: (worker: number) => RestoreWorkerConfig;
  /** Takes the result of a batch. */
  readonly onResult: (batch: RestoreBatch, result: RestoreBatchResult) => void;
  /** Told of the first error; nothing is to be expected after it. */
  readonly onError: (error: unknown) => void;
}

interface PoolWorker {
  readonly handle: WorkerHandle;
  readonly batches: Map<number, RestoreBatch>;
}

/** The workers of a restore, and the batches that wait for them. */
export class RestorePool {
  readonly #options: RestorePoolOptions;
  readonly #workers: PoolWorker[] = [];
  readonly #queue: RestoreBatch[] = [];
  #batchCount = 0;
  #isFailed = false;
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();

  /**
   * Starts the workers but for the last of several, which a small restore can do without: the
   * thread that walks has time to write some batches, and a worker costs a tenth of a second of CPU.
   *
   * @param options How many, and who is told.
   */
  constructor(options: RestorePoolOptions) {
    this.#options = options;
    this.#startUpTo(Math.max(1, options.count - 1));
  }

  /** Batches that were not given to a worker yet. */
  get waitingCount(): number {
    return this.#queue.length;
  }

  /** Whether batches are under way, and nothing has failed. */
  get isBusy(): boolean {
    return !this.#isFailed &&
      (this.#queue.length > 0 ||
        this.#workers.some((worker) => worker.batches.size > 0));
  }

  /**
   * Adds a batch.
   *
   * @param batch The batch.
   */
  submit(batch: RestoreBatch): void {
    if (++this.#batchCount === ALL_WORKERS_MIN) {
      this.#startUpTo(this.#options.count);
    }
    this.#queue.push(batch);
    this.#dispatch();
  }

  /**
   * Gives a batch back to be written by the caller, as long as the last worker was not started.
   *
   * @returns The batch that waits longest, if it is small enough.
   */
  takeBack(): RestoreBatch | undefined {
    const isWanted = this.#workers.length < this.#options.count &&
      !this.#isFailed && this.#queue.length > 0 &&
      sizeOf(this.#queue[0]) <= BACK_SIZE_MAX;
    return isWanted ? this.#queue.shift() : undefined;
  }

  /** Resolves when a batch has ended or something failed. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Wakes who waits, as the restore has failed. */
  stop(): void {
    this.#isFailed = true;
    this.#notify();
  }

  /** Ends the workers. Those that were not told to stop finish what they have. */
  async close(): Promise<void> {
    this.#queue.length = 0;
    await Promise.all(this.#workers.map(async ({ handle }) => {
      handle.postMessage({ type: "close" } satisfies ToRestoreWorker);
      // A worker that has failed has been reported.
      await handle.drop().catch(() => {});
    }));
  }

  #startUpTo(count: number): void {
    while (this.#workers.length < count) this.#start(this.#workers.length);
  }

  #start(number: number): void {
    const handle = startWorker(new URL(workerUrl(), import.meta.url));
    const worker: PoolWorker = { handle, batches: new Map() };
    this.#workers.push(worker);
    handle.onMessage((message) =>
      this.#receive(worker, message as FromRestoreWorker)
    );
    handle.onError((error) => this.#fail(error));
    const config = this.#options.configOf(number);
    handle.postMessage({ type: "begin", config } satisfies ToRestoreWorker);
  }

  #receive(worker: PoolWorker, message: FromRestoreWorker): void {
    if (message.type === "result" && !this.#isFailed) {
      const { result } = message;
      const batch = worker.batches.get(result.number)!;
      worker.batches.delete(result.number);
      try {
        this.#options.onResult(batch, result);
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#dispatch();
    this.#notify();
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && !this.#isFailed) {
      const worker = this.#leastBusy();
      if (worker === undefined) return;
      const batch = this.#queue.shift()!;
      worker.batches.set(batch.number, batch);
      const message: ToRestoreWorker = { type: "batch", batch };
      worker.handle.postMessage(message);
    }
  }

  #leastBusy(): PoolWorker | undefined {
    let best: PoolWorker | undefined;
    for (const worker of this.#workers) {
      if (worker.batches.size >= AHEAD_MAX) continue;
      if (best === undefined || worker.batches.size < best.batches.size) {
        best = worker;
      }
    }
    return best;
  }

  #fail(error: unknown): void {
    if (this.#isFailed) return;
    this.#isFailed = true;
    this.#options.onError(error);
    this.#notify();
  }

  #notify(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}

function sizeOf({ sizes }: RestoreBatch): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The worker stands beside this module, as source or as built. */
function workerUrl(): string {
  return import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
}

/** Never called: makes the worker part of the program for those who fetch or bundle it. */
export function prefetchRestoreWorker(): Promise<unknown> {
  return import("./worker.ts");
}
