import type { Hasher } from "@snap/hash";
import { type IndexConfig, sinkFailure } from "@snap/pack/sink";
import type { IndexFile } from "@snap/pack/index";
import type { ObjectWriter } from "@snap/pack/write";
import { WorkerError } from "@snap/posix/worker";
import { type PoolOwner, WorkerPool } from "@snap/posix/worker-pool";
import type { MoveBatch, MoveResult } from "./batch.ts";
import type { FromMoveWorker, ToMoveWorker } from "./messages.ts";
import { workerUrl } from "../worker_url.ts";

/** Options of {@linkcode MovePool}. */
export interface MovePoolOptions {
  /** How many workers. */
  readonly workers: number;
  /** The beginning of the path of each file of the source. */
  readonly sourcePrefix: string;
  /** The tables of the index of the source. */
  readonly tables: readonly IndexFile[];
  /** Takes the packs that workers make. */
  readonly writer: ObjectWriter;
  readonly hasher: Hasher;
}

/** The workers of a copy from folder to folder. */
export class MovePool implements PoolOwner<MoveBatch, MoveResult> {
  readonly #options: MovePoolOptions;
  readonly #pool: WorkerPool<MoveBatch, MoveResult>;
  #results: MoveResult[] = [];
  #failure: { readonly error: unknown } | undefined;
  #onResult: (result: MoveResult) => void = () => {};

  /**
   * Starts the workers but for the last of several.
   *
   * @param options How many, from where, to where.
   */
  constructor(options: MovePoolOptions) {
    this.#options = options;
    const url = workerUrl();
    const count = options.workers;
    this.#pool = new WorkerPool({ count, url, owner: this, startsAll: true });
  }

  /**
   * Has batches done.
   *
   * @param batches The batches.
   * @param onResult Told of each result as it comes.
   * @returns The results, in any order.
   */
  async run(
    batches: readonly MoveBatch[],
    onResult: (result: MoveResult) => void,
  ): Promise<MoveResult[]> {
    const { writer } = this.#options;
    this.#results = [];
    this.#onResult = onResult;
    for (const batch of batches) this.#pool.submit(batch);
    while (this.#pool.isBusy) {
      await this.#pool.changed();
      writer.failure.throwIfAborted();
    }
    this.#throwFailure();
    return this.#results;
  }

  /** Lets every worker finish its packs. */
  async finish(): Promise<void> {
    await this.#pool.ask({ type: "finish" } satisfies ToMoveWorker);
    this.#throwFailure();
  }

  /**
   * Gives every worker another index of the target.
   *
   * @param index The tables, and the packs that are there.
   */
  async reopen(index: IndexConfig): Promise<void> {
    await this.#pool.ask({ type: "reopen", index } satisfies ToMoveWorker);
    this.#throwFailure();
  }

  /** Ends the workers; packs that they have in hand are dropped. */
  async close(): Promise<void> {
    this.#pool.stop();
    await this.#pool.close();
  }

  /** @inheritDoc */
  begin(): ToMoveWorker {
    const { writer, hasher, sourcePrefix, tables } = this.#options;
    const sink = writer.sinkConfig();
    const config = { sourcePrefix, tables, sink, hasher: hasher.name };
    return { type: "begin", config };
  }

  /** @inheritDoc */
  give(batch: MoveBatch): ToMoveWorker {
    return { type: "batch", batch };
  }

  /** @inheritDoc */
  end(): ToMoveWorker {
    return { type: "discard" };
  }

  /** @inheritDoc */
  takeResult(_batch: MoveBatch, result: MoveResult): void {
    this.#results.push(result);
    this.#onResult(result);
  }

  /** @inheritDoc */
  receive(message: unknown): void {
    const said = message as FromMoveWorker;
    if (said.type === "pack") this.#options.writer.addPack(said.pack);
  }

  /** @inheritDoc */
  fail(error: unknown): void {
    const known = error instanceof WorkerError
      ? sinkFailure(error.record, error)
      : undefined;
    this.#failure ??= { error: known ?? error };
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
