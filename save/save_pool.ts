import { startWorker, type WorkerHandle } from "@snap/posix/worker";
import type { QueuedBatch } from "./walk/batch_queue.ts";
import { Lane } from "./read/large_file_ring.ts";
import type { FinishedPackFile } from "./pack/pack_files.ts";
import type {
  BatchResult,
  FromSaveWorker,
  IndexConfig,
  NewCounts,
  RecipeNode,
  ToSaveWorker,
  WorkerConfig,
} from "./messages.ts";
import { workerFailure } from "./worker_failure.ts";

/** Batches that wait in a worker, so that it never waits for one. */
const AHEAD_MAX = 2;
/** Batches of a save for which the last worker is worth its start. */
const ALL_WORKERS_MIN = 256;

/** What {@linkcode SavePool} needs. */
export interface SavePoolOptions {
  /** How many workers. */
  readonly count: number;
  /** What each of them is told; the spool path is its own. */
  readonly configOf: (worker: number) => WorkerConfig;
  /** The ring for large files. */
  readonly lane: SharedArrayBuffer;
  /** Takes the result of a batch. */
  readonly onResult: (batch: QueuedBatch, result: BatchResult) => void;
  /** Told what a worker has added while it helped with a file of another. */
  readonly onHelped: (counts: NewCounts) => void;
  /** Takes a pack. */
  readonly onPack: (pack: FinishedPackFile) => void;
  /** Takes nodes of recipes, before the result of the batch they belong to. */
  readonly onRecipes: (nodes: readonly RecipeNode[]) => void;
  /** Told of the first error; nothing is to be expected after it. */
  readonly onError: (error: unknown) => void;
}

interface PoolWorker {
  readonly handle: WorkerHandle;
  /** Batches it has been given. */
  readonly batches: Map<number, QueuedBatch>;
  isReady: boolean;
  isHelping: boolean;
  /** Called when it has answered what it was asked. */
  answered: (() => void) | undefined;
}

/** The workers of a save, and the batches that wait for them. */
export class SavePool {
  readonly #options: SavePoolOptions;
  readonly #workers: PoolWorker[] = [];
  readonly #lane: Lane;
  readonly #queue: QueuedBatch[] = [];
  #batchCount = 0;
  #isFailed = false;
  #isStopped = false;
  #isResting = false;
  #isInLane = false;
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();

  /**
   * Starts the workers but for the last of several, which a small save can do without: the thread
   * that walks has time to read some batches, and a worker costs a tenth of a second of CPU.
   *
   * @param options How many, and who is told.
   */
  constructor(options: SavePoolOptions) {
    this.#options = options;
    this.#lane = new Lane(options.lane);
    this.#startUpTo(Math.max(1, options.count - 1));
  }

  /** Batches that were not given to a worker yet. */
  get waitingCount(): number {
    return this.#queue.length;
  }

  /**
   * Adds a batch.
   *
   * @param batch The batch.
   */
  submit(batch: QueuedBatch): void {
    if (batch.isLarge || ++this.#batchCount === ALL_WORKERS_MIN) {
      this.#startUpTo(this.#options.count);
    }
    this.#queue.push(batch);
    this.#dispatch();
  }

  /**
   * Gives a batch back to be read by the caller, as long as the last worker was not started.
   *
   * @param byteCountMax Plain bytes in it, at most.
   * @returns The batch that waits longest, if it may be read there.
   */
  takeBack(byteCountMax: number): QueuedBatch | undefined {
    const isWanted = this.#workers.length < this.#options.count &&
      !this.#isOver && this.#queue.length > 0 &&
      this.#queue[0].byteCount <= byteCountMax;
    return isWanted ? this.#queue.shift() : undefined;
  }

  /** Resolves when a batch has ended or something failed. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Whether batches are under way, and nothing has failed. */
  get isBusy(): boolean {
    return !this.#isOver && (this.#queue.length > 0 || this.#isAtWork);
  }

  /** Lets the workers end what they have in hand, and gives them nothing more. */
  async rest(): Promise<void> {
    this.#isResting = true;
    while (!this.#isOver && this.#isAtWork) await this.changed();
  }

  /** Lets the workers go on. */
  resume(): void {
    this.#isResting = false;
    this.#dispatch();
  }

  /** Lets every worker finish its packs. */
  async finish(): Promise<void> {
    await this.#ask({ type: "finish" });
  }

  /**
   * Gives every worker another index.
   *
   * @param index The tables, and the packs that are there.
   */
  async reopen(index: IndexConfig): Promise<void> {
    await this.#ask({ type: "reopen", index });
  }

  /** Makes workers leave a large file, as the save has failed. */
  stop(): void {
    this.#isStopped = true;
    this.#lane.stop();
    this.#notify();
  }

  /** Lets every worker drop what it has in hand, and ends all of them. */
  async close(): Promise<void> {
    this.#queue.length = 0;
    this.#lane.stop();
    await Promise.all(this.#workers.map(async (worker) => {
      worker.handle.postMessage({ type: "discard" } satisfies ToSaveWorker);
      // A worker that has failed has been reported.
      await worker.handle.drop().catch(() => {});
    }));
  }

  #startUpTo(count: number): void {
    while (this.#workers.length < count) this.#start(this.#workers.length);
  }

  #start(number: number): void {
    const handle = startWorker(new URL(workerUrl(), import.meta.url));
    const worker: PoolWorker = {
      handle,
      batches: new Map(),
      isReady: false,
      isHelping: false,
      answered: undefined,
    };
    this.#workers.push(worker);
    handle.onMessage((message) =>
      this.#receive(worker, message as FromSaveWorker)
    );
    handle.onError((error) => this.#fail(workerFailure(error)));
    const config = this.#options.configOf(number);
    handle.postMessage({ type: "begin", config } satisfies ToSaveWorker);
  }

  #receive(worker: PoolWorker, message: FromSaveWorker): void {
    switch (message.type) {
      case "ready":
        worker.isReady = true;
        break;
      case "result":
        this.#takeResult(worker, message.result);
        break;
      case "helped":
        worker.isHelping = false;
        this.#options.onHelped(message.counts);
        break;
      case "pack":
        this.#options.onPack(message.pack);
        return;
      case "recipes":
        this.#takeRecipes(message.nodes);
        return;
      case "finished":
      case "reopened":
        worker.answered?.();
        return;
      case "discarded":
        return;
    }
    this.#dispatch();
    this.#notify();
  }

  #takeResult(worker: PoolWorker, result: BatchResult): void {
    const batch = worker.batches.get(result.number);
    if (batch === undefined || this.#isFailed) return;
    worker.batches.delete(result.number);
    try {
      this.#options.onResult(batch, result);
    } catch (error) {
      this.#fail(error);
    }
  }

  #takeRecipes(nodes: readonly RecipeNode[]): void {
    if (this.#isFailed) return;
    try {
      this.#options.onRecipes(nodes);
    } catch (error) {
      this.#fail(error);
    }
  }

  #dispatch(): void {
    if (this.#isOver) return;
    if (this.#isInLane) {
      if (this.#workers.some((one) => one.isHelping || one.batches.size > 0)) {
        return;
      }
      this.#isInLane = false;
    }
    if (this.#isResting) return;
    while (this.#queue.length > 0) {
      if (this.#queue[0].isLarge) {
        this.#enterLane();
        return;
      }
      const worker = this.#leastBusy();
      if (worker === undefined) return;
      this.#give(worker, "batch", this.#queue.shift()!);
    }
  }

  /** All workers together take one file, as soon as all of them are free. */
  #enterLane(): void {
    const isFree = (one: PoolWorker): boolean =>
      one.isReady && one.batches.size === 0;
    if (!this.#workers.every(isFree)) return;
    this.#isInLane = true;
    this.#lane.reset();
    const [reader, ...helpers] = this.#workers;
    this.#give(reader, "lane", this.#queue.shift()!);
    for (const helper of helpers) {
      helper.isHelping = true;
      helper.handle.postMessage({ type: "help" } satisfies ToSaveWorker);
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

  #give(worker: PoolWorker, type: "batch" | "lane", batch: QueuedBatch): void {
    worker.batches.set(batch.batch.number, batch);
    const message: ToSaveWorker = { type, batch: batch.batch };
    worker.handle.postMessage(message);
  }

  async #ask(message: ToSaveWorker): Promise<void> {
    await Promise.race([
      Promise.all(this.#workers.map((worker) =>
        new Promise<void>((resolve) => {
          worker.answered = resolve;
          worker.handle.postMessage(message);
        })
      )),
      this.#failed(),
    ]);
  }

  async #failed(): Promise<void> {
    while (!this.#isOver) await this.changed();
  }

  get #isOver(): boolean {
    return this.#isFailed || this.#isStopped;
  }

  get #isAtWork(): boolean {
    return this.#isInLane ||
      this.#workers.some((worker) => worker.batches.size > 0);
  }

  #fail(error: unknown): void {
    if (this.#isFailed) return;
    this.#isFailed = true;
    this.#lane.stop();
    this.#options.onError(error);
    this.#notify();
  }

  #notify(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}

/** The worker stands beside this module, as source or as built. */
function workerUrl(): string {
  return import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
}

/** Never called: makes the worker part of the program for those who fetch or bundle it. */
export function prefetchSaveWorker(): Promise<unknown> {
  return import("./worker.ts");
}
