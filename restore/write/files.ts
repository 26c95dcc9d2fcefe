import { type DiskCalls, DiskError } from "@snap/disk";
import { nativeDecoders } from "@snap/posix/decoders";
import {
  type PoolJob,
  type PoolOwner,
  WorkerPool,
} from "@snap/posix/worker-pool";
import { WAIT } from "@snap/pack/recipe-content";
import { blocksOf, type WorkerSource, workerSource } from "@snap/pack/ranges";
import type { StoreReader } from "@snap/pack/read";
import type { ReadStore } from "@snap/store";
import { pathOf } from "../plan/batch_rows.ts";
import { FileWindow, type WindowFile } from "../plan/file_window.ts";
import { cutBatches } from "../plan/batches.ts";
import {
  COUNTER_UNIT,
  FRAME_COLUMNS,
  type FromRestoreWorker,
  type RestoreBatch,
  type RestoreBatchResult,
  type RestorerConfig,
  RestoreStatus,
  type ToRestoreWorker,
} from "../messages.ts";
import { localSource, type RestoreSource } from "./restore_source.ts";
import { Restorer, STEP_SIZE } from "./writer.ts";
import type { FallbackWriter } from "./fallback_writer.ts";
import { workerUrl } from "../worker_url.ts";

/** Files of the first window, and of the largest. */
const WINDOW_FIRST = 1024;
const WINDOW_MAX = 16384;
/** Batches that wait for each worker before the walk does. */
const BATCHES_AHEAD = 4;
/** Plain bytes of a batch, each file counted with what making it costs. */
const BATCH_SIZE = 4 * 1024 * 1024;
/** As much for a worker where ranges are on their way, which it waits for together. */
const FAR_BATCH_SIZE = 16 * 1024 * 1024;
/** Batches of a store far away that this thread has under way at once. */
const FAR_BATCHES_MAX = 4;
/** Memory for stored bytes that this thread fetches for workers. */
const FETCHED_SIZE = 64 * 1024 * 1024;
/** Blocks that are fetched for a batch before a worker begins it; those of all that wait fit into the memory. */
const BLOCKS_AHEAD = 20;
/** So little is written here, as workers are not worth their start. */
const SMALL_SIZE = 8 * 1024 * 1024;
/** More plain bytes are never written here at once if there are workers: signals have to be heard. */
const BACK_SIZE_MAX = 8 * 1024 * 1024;
/** The stop word stands before the counters. */
const STOP_WORDS = 1;

/** Parts of {@linkcode RestoreFiles}. */
export interface RestoreFilesOptions {
  readonly reader: StoreReader;
  readonly store: ReadStore;
  readonly config: Omit<RestorerConfig, "control" | "worker">;
  readonly calls: DiskCalls;
  /** Workers; none writes in this thread. */
  readonly workers: number;
  /** Writes what the workers could not read. */
  readonly slow: FallbackWriter;
  readonly signal: AbortSignal | undefined;
  readonly onError: (error: DiskError) => void;
  /** Told of an attribute that could not be set. */
  readonly onMissing: (error: DiskError) => void;
  /** Told how a file ended that is in place; a `RestoreStatus`. */
  readonly onFile: (batch: RestoreBatch, row: number, status: number) => void;
  readonly onWritten: (byteCount: number) => void;
  /** Told that nothing goes on. */
  readonly onFailure: (error: unknown) => void;
  /** Lets messages in from time to time; throws when all is over. */
  readonly pace: (cost?: number) => Promise<void> | undefined;
  readonly throwFailure: () => void;
  /** Plain bytes that are expected, 0 if that is not known. */
  readonly expectedByteCount: number;
}

/** A batch for a worker. */
interface BatchJob extends PoolJob {
  readonly batch: RestoreBatch;
}

/** The files of a restore, from the walk to the disk. */
export class RestoreFiles implements PoolOwner<BatchJob, RestoreBatchResult> {
  readonly #options: RestoreFilesOptions;
  readonly #control: SharedArrayBuffer;
  #window = new FileWindow(WINDOW_FIRST);
  #leftOver: { readonly batch: RestoreBatch; readonly row: number }[] = [];
  #pool: WorkerPool<BatchJob, RestoreBatchResult> | undefined;
  #inline: Restorer | undefined;
  #batchNumber = 0;
  #isLast = false;
  /** Batches of a store far away that this thread has under way. */
  readonly #farBatches = new Set<Promise<void>>();
  /** The source of the bytes of the store, for workers. */
  #source: WorkerSource | undefined;
  /** Sizes of the packs of a store far away. */
  readonly #packSizes = new Map<string, number>();
  /** Whether the store has failed for a worker. */
  #hasFault = false;

  constructor(options: RestoreFilesOptions) {
    this.#options = options;
    this.#control = new SharedArrayBuffer(
      4 * (STOP_WORDS + options.workers + 1),
    );
  }

  /** Whether most of the time is spent waiting for the store, which this thread does for all workers. */
  get #isFar(): boolean {
    return this.#options.reader.ranges.isFar;
  }

  /** Plain bytes of batches under way. */
  get openByteCount(): number {
    const control = new Int32Array(this.#control);
    let units = 0;
    for (let i = STOP_WORDS; i < control.length; i++) {
      units += Atomics.load(control, i);
    }
    return units * COUNTER_UNIT;
  }

  /** Starts the workers early where there is work for them: they need a while. */
  start(): void {
    const { expectedByteCount, workers } = this.#options;
    if (workers > 0 && expectedByteCount >= SMALL_SIZE) {
      this.#pool ??= this.#startPool();
    }
  }

  /**
   * Adds a file.
   *
   * @returns When the next may come, if not at once.
   */
  add(file: WindowFile): Promise<void> | undefined {
    const { location } = file;
    if (location !== undefined && this.#isFar) {
      this.#packSizes.set(location.packName, location.packSize);
    }
    this.#window.add(file);
    return this.#window.isFull ? this.#flush() : undefined;
  }

  /** Writes all that was added. */
  async finish(isLast: boolean): Promise<void> {
    this.#isLast = isLast;
    await this.#flush();
    while (this.#farBatches.size > 0) await Promise.race(this.#farBatches);
    const pool = this.#pool;
    while (pool?.isBusy === true) await this.#helpOrWait(pool);
    this.#options.throwFailure();
    await this.#writeLeftOver();
  }

  /** Makes everybody leave what they do. */
  stop(): void {
    Atomics.store(new Int32Array(this.#control), 0, 1);
    this.#source?.wake();
    this.#pool?.stop();
  }

  /** Ends the workers, and closes what is open. */
  async close(): Promise<void> {
    await Promise.all(this.#farBatches);
    this.#inline?.[Symbol.dispose]();
    await this.#pool?.close();
    await this.#source?.fetcher?.stop();
  }

  /** Hands the files of the window out, and begins a larger one where it was full. */
  async #flush(): Promise<void> {
    const window = this.#window;
    this.#window = new FileWindow(
      window.isFull ? Math.min(2 * window.sizeMax, WINDOW_MAX) : window.sizeMax,
    );
    const { workers } = this.#options;
    const isSmall = this.#isLast && window.byteCount < SMALL_SIZE;
    if (workers > 0 && !isSmall) this.#pool ??= this.#startPool();
    const sizeMax = this.#isFar && this.#pool !== undefined
      ? FAR_BATCH_SIZE
      : BATCH_SIZE;
    const nextNumber = () => this.#batchNumber++;
    for (const batch of cutBatches(window, { sizeMax, nextNumber })) {
      this.#options.throwFailure();
      await this.#submit(batch);
    }
  }

  async #submit(batch: RestoreBatch): Promise<void> {
    const pool = this.#pool;
    if (pool === undefined) {
      return await (this.#isFar
        ? this.#submitFar(batch)
        : this.#writeInline(batch));
    }
    const byteCount = batch.sizes.reduce((sum, size) => sum + size, 0);
    this.#fetchAhead(batch);
    pool.submit({ number: batch.number, byteCount, batch });
    while (pool.waitingCount > BATCHES_AHEAD * this.#options.workers) {
      await this.#helpOrWait(pool);
    }
  }

  /** Fetches the first blocks of a batch that waits for a worker. */
  #fetchAhead({ packs, frames }: RestoreBatch): void {
    const fetcher = this.#source?.fetcher;
    if (fetcher === undefined) return;
    const blocks = packs.map(() => new Set<number>());
    let left = BLOCKS_AHEAD;
    for (let at = 0; at < frames.length && left > 0; at += FRAME_COLUMNS) {
      const known = blocks[frames[at]];
      const before = known.size;
      for (const block of blocksOf(frames[at + 1], frames[at + 2])) {
        known.add(block);
      }
      left -= known.size - before;
    }
    for (const [i, name] of packs.entries()) {
      const size = this.#packSizes.get(name)!;
      if (blocks[i].size > 0) fetcher.ahead({ name, size }, blocks[i]);
    }
  }

  /** Begins to write a batch; waits where too many are under way. */
  async #submitFar(batch: RestoreBatch): Promise<void> {
    const batches = this.#farBatches;
    while (batches.size >= FAR_BATCHES_MAX) await Promise.race(batches);
    this.#options.throwFailure();
    const writing: Promise<void> = this.#writeInline(batch)
      .catch((error) => this.#options.onFailure(error))
      .finally(() => batches.delete(writing));
    batches.add(writing);
  }

  /** Writes a batch in place of the worker that was not started, or waits until one has ended. */
  async #helpOrWait(
    pool: WorkerPool<BatchJob, RestoreBatchResult>,
  ): Promise<void> {
    const job = pool.takeBack(BACK_SIZE_MAX);
    await (job === undefined ? pool.changed() : this.#writeInline(job.batch));
    this.#options.throwFailure();
    // A store that fails for one file would let each of the others wait in vain.
    if (this.#hasFault) await this.#writeLeftOver();
  }

  #startPool(): WorkerPool<BatchJob, RestoreBatchResult> {
    const { store, workers: count } = this.#options;
    this.#source = workerSource(store, {
      count,
      sizeMax: FETCHED_SIZE,
      isOnce: true,
      onFault: () => void (this.#hasFault = true),
    });
    const url = workerUrl();
    return new WorkerPool({ count, url, owner: this, startsAll: this.#isFar });
  }

  /** @inheritDoc */
  begin(worker: number): ToRestoreWorker {
    const { config, reader } = this.#options;
    const control = this.#control;
    const hasher = reader.hasher.name;
    const source = this.#source!.sourceOf(worker);
    return {
      type: "begin",
      config: { ...config, control, worker, hasher, source },
    };
  }

  /** @inheritDoc */
  receive(message: FromRestoreWorker): void {
    if (message.type !== "fetch") return;
    this.#source?.fetcher?.take(message.worker, message.wants);
  }

  /** @inheritDoc */
  give({ batch }: BatchJob): ToRestoreWorker {
    return { type: "batch", batch };
  }

  /** @inheritDoc */
  end(): ToRestoreWorker {
    return { type: "close" };
  }

  /** @inheritDoc */
  takeResult({ batch }: BatchJob, result: RestoreBatchResult): void {
    this.#takeResult(batch, result);
  }

  /** @inheritDoc */
  fail(error: unknown): void {
    this.#options.onFailure(error);
  }

  async #writeInline(batch: RestoreBatch): Promise<void> {
    const { calls, config, reader, workers, signal } = this.#options;
    const { hasher, ranges } = reader;
    this.#inline ??= new Restorer(
      { ...config, control: this.#control, worker: workers },
      { hasher, decoders: nativeDecoders, calls, source: this.#inlineSource() },
    );
    const steps = this.#inline.restore(batch);
    try {
      let step = steps.next();
      for (; step.done !== true; step = steps.next()) {
        if (step.value === WAIT) await ranges.arrived(signal && { signal });
        const turn = this.#options.pace(STEP_SIZE);
        if (turn !== undefined) await turn;
      }
      this.#takeResult(batch, step.value);
    } finally {
      steps.return(undefined as never);
    }
  }

  #inlineSource(): RestoreSource {
    const { reader: { ranges }, store } = this.#options;
    return ranges.isFar
      ? { makeRanges: () => ranges, isFar: true }
      : localSource((name) => store.localPath!(name));
  }

  #takeResult(batch: RestoreBatch, result: RestoreBatchResult): void {
    const { onError, onFile, onMissing, onWritten } = this.#options;
    for (const { index, action, code, isAttribute } of result.errors) {
      const error = new DiskError(action, pathOf(batch, index), code);
      if (isAttribute) onMissing(error);
      else onError(error);
    }
    for (let row = 0; row < batch.count; row++) {
      const status = result.status[row];
      if (status === RestoreStatus.left) this.#leftOver.push({ batch, row });
      else if (
        status !== RestoreStatus.failed && status !== RestoreStatus.stopped
      ) onFile(batch, row, status);
    }
    onWritten(result.writtenByteCount);
  }

  async #writeLeftOver(): Promise<void> {
    const files = this.#leftOver;
    this.#leftOver = [];
    this.#hasFault = false;
    const { onFile, onWritten, slow } = this.#options;
    for (const { batch, row } of files) {
      this.#options.throwFailure();
      if (!await slow.write(batch, row)) continue;
      onFile(batch, row, RestoreStatus.written);
      onWritten(batch.sizes[row]);
    }
  }
}
