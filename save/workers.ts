import type { Hasher } from "@snap/hash";
import type { IndexConfig, NewCounts } from "@snap/pack/sink";
import type { ObjectWriter } from "@snap/pack/write";
import { WorkerError } from "@snap/posix/worker";
import { type PoolOwner, WorkerPool } from "@snap/posix/worker-pool";
import type {
  BatchResult,
  FromSaveWorker,
  ThreadConfig,
  ToSaveWorker,
} from "./messages.ts";
import { LargeFileRing } from "./read/large_file_ring.ts";
import type { QueuedBatch } from "./walk/batch_queue.ts";
import { workerFailure } from "./worker_failure.ts";
import { workerUrl } from "./worker_url.ts";

/** The part of the writer of a store that a save needs. */
export type SaveWriter = Pick<
  ObjectWriter,
  | "addPack"
  | "addRecipe"
  | "failure"
  | "isBehind"
  | "isFull"
  | "makeRoom"
  | "settled"
  | "sink"
  | "sinkConfig"
  | "trustsRecords"
>;

/** The save that workers read for. */
export interface WorkersRun {
  /** Takes the result of a batch. */
  takeResult(batch: QueuedBatch, result: BatchResult): void;
  /** Counts what was not in the store before. */
  countNew(counts: NewCounts): void;
  /** Ends the save. */
  fail(error: unknown): void;
}

/** Options of {@linkcode SaveWorkers}. */
export interface SaveWorkersOptions {
  /** How many workers. */
  readonly workers: number;
  readonly thread: ThreadConfig;
  readonly hasher: Hasher;
  /** Takes the packs and recipes that workers make. */
  readonly writer: SaveWriter;
  readonly run: WorkersRun;
}

/** The workers of a save: what they are told, and where what they make goes. */
export class SaveWorkers implements PoolOwner<QueuedBatch, BatchResult> {
  /** The workers, and the batches that wait for them. */
  readonly pool: WorkerPool<QueuedBatch, BatchResult>;
  readonly #options: SaveWorkersOptions;
  readonly #ring = new LargeFileRing();
  #isOver = false;

  /**
   * Starts the workers but for the last of several.
   *
   * @param options How many, and for what.
   */
  constructor(options: SaveWorkersOptions) {
    this.#options = options;
    const url = workerUrl();
    this.pool = new WorkerPool({ count: options.workers, url, owner: this });
  }

  /** Lets every worker finish its packs. */
  async finish(): Promise<void> {
    await this.pool.ask({ type: "finish" } satisfies ToSaveWorker);
  }

  /**
   * Gives every worker another index.
   *
   * @param index The tables, and the packs that are there.
   */
  async reopen(index: IndexConfig): Promise<void> {
    await this.pool.ask({ type: "reopen", index } satisfies ToSaveWorker);
  }

  /** Makes workers leave what they read, as the save has failed. */
  stop(): void {
    this.#isOver = true;
    this.#ring.stop();
    this.pool.stop();
  }

  /** Ends the workers; packs that they have in hand are dropped. */
  async close(): Promise<void> {
    this.#ring.stop();
    await this.pool.close();
  }

  /** @inheritDoc */
  begin(): ToSaveWorker {
    const { thread, writer, hasher } = this.#options;
    const sink = writer.sinkConfig(), ring = this.#ring.buffer;
    const config = { ...thread, sink, ring, hasher: hasher.name };
    return { type: "begin", config };
  }

  /** @inheritDoc */
  give({ batch, isShared }: QueuedBatch): ToSaveWorker {
    if (!isShared) return { type: "batch", batch };
    this.#ring.reset();
    return { type: "large", batch };
  }

  /** @inheritDoc */
  help(): ToSaveWorker {
    return { type: "help" };
  }

  /** @inheritDoc */
  end(): ToSaveWorker {
    return { type: "discard" };
  }

  /** @inheritDoc */
  takeResult(batch: QueuedBatch, result: BatchResult): void {
    this.#options.run.takeResult(batch, result);
  }

  /** @inheritDoc */
  receive(message: unknown): void {
    const { writer, run } = this.#options;
    const said = message as FromSaveWorker;
    // Also when the save has failed: data packs are rescued.
    if (said.type === "pack") writer.addPack(said.pack);
    else if (this.#isOver) return;
    else if (said.type === "recipe") writer.addRecipe(said.nodes);
    else run.countNew(said.counts);
  }

  /** @inheritDoc */
  fail(error: unknown): void {
    const isWorkers = error instanceof WorkerError;
    this.#options.run.fail(isWorkers ? workerFailure(error) : error);
  }
}
