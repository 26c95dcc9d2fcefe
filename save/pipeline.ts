import { localOwners } from "@snap/disk";
import type { NewCounts } from "@snap/pack/sink";
import { Pacer, PROGRESS_INTERVAL_MS } from "@snap/posix/pacer";
import type { BatchResult, ThreadConfig } from "./messages.ts";
import { orSoon } from "./or_soon.ts";
import { ContentPacker } from "./pack/content_packer.ts";
import type {
  SavePipelineOptions,
  SavePipelineResult,
} from "./pipeline_options.ts";
import { newSaveProgress, type SaveProgress } from "./progress.ts";
import { BatchReader } from "./read/batch_reader.ts";
import { InHand } from "./read/in_hand.ts";
import { fitsRing } from "./read/large_file_reader.ts";
import { BatchQueue, type QueuedBatch } from "./walk/batch_queue.ts";
import { DeviceTable } from "./walk/device_table.ts";
import { DirectoryCompleter } from "./walk/directory_completer.ts";
import { DirectoryEncoder } from "./walk/directory_encoder.ts";
import { FileSystems } from "./walk/file_systems.ts";
import type { KnownChanges } from "./walk/known_changes.ts";
import { SaveResults } from "./walk/save_results.ts";
import { SaveWalk } from "./walk/save_walk.ts";
import type { WalkRun } from "./walk/save_walk_options.ts";
import { SaveWorkers, type SaveWriter, type WorkersRun } from "./workers.ts";

/** Files from this size on are read by one worker and packed by all. */
const LARGE_SIZE_MIN = 32 * 1024 * 1024;
/** Batches that wait for each worker before the walk does. */
const BATCHES_AHEAD = 4;
/** More than this is never read in this thread if there are others: it has to hear signals. */
const HELD_SIZE_MAX = 8 * 1024 * 1024;
/** Cost of a step of the walk or of naming, in bytes read: the clock is worth a look. */
const STEP_COST = 256 * 1024;

/** One walk of a source, with everything that is read on the way. */
export class SavePipeline implements WalkRun, WorkersRun {
  readonly progress: SaveProgress = newSaveProgress();
  readonly #options: SavePipelineOptions;
  readonly #writer: SaveWriter;
  readonly #thread: ThreadConfig;
  readonly #inHand: InHand;
  readonly #packer: ContentPacker;
  readonly #reader: BatchReader;
  readonly #walk: SaveWalk;
  readonly #directories: DirectoryEncoder;
  readonly #completer: DirectoryCompleter;
  readonly #devices: DeviceTable;
  readonly #results: SaveResults;
  readonly #known: KnownChanges | undefined;
  #held: QueuedBatch | undefined;
  #workers: SaveWorkers | undefined;
  #failure: { readonly error: unknown } | undefined;
  readonly #pacer = new Pacer();
  /** Batches that this thread has to read as there is no other. */
  readonly #own: QueuedBatch[] = [];
  #lastProgress = 0;

  /**
   * Puts the stages together. Nothing is read yet.
   *
   * @param options What to read, and where to.
   */
  constructor(options: SavePipelineOptions) {
    this.#options = options;
    const { hasher, isNaming, previous, source, writer } = options;
    this.#writer = writer;
    const known = previous?.root && previous.known;
    this.#known = known;
    this.#thread = {
      source: source.path,
      stop: new SharedArrayBuffer(4),
      inHand: new SharedArrayBuffer(8),
      isNaming,
    };
    this.#inHand = new InHand(this.#thread.inHand);
    const sink = writer.sink();
    this.#packer = new ContentPacker(sink, {
      hasher,
      target: writer,
      isNaming,
    });
    this.#reader = new BatchReader(this.#packer, {
      ...this.#thread,
      inHand: new InHand(this.#thread.inHand),
    });
    const hasRing = options.workers > 1 && !isNaming && fitsRing(sink.settings);
    const queue = new BatchQueue(
      hasRing ? LARGE_SIZE_MIN : Infinity,
      (batch) => this.#submit(batch),
    );
    this.#devices = new DeviceTable({
      previousStart: previous?.start,
      systems: new FileSystems(source.path),
      trustStat: options.trustStat,
    });
    this.#directories = new DirectoryEncoder({
      namer: options.namer,
      devices: this.#devices,
      owners: localOwners(),
      totals: known && previous?.totals,
    });
    // In the order of a walk: directories that are not opened have these numbers.
    const devices = known?.devices;
    for (let i = 0; i < (devices?.rows ?? 0); i++) {
      this.#devices.numberOf(devices!, i);
    }
    this.#completer = new DirectoryCompleter(this.#directories);
    this.#results = new SaveResults(this.#directories, this.#completer);
    this.#walk = new SaveWalk({
      queue,
      devices: this.#devices,
      directories: this.#directories,
      completer: this.#completer,
      packer: this.#packer,
      previous: previous?.reader,
      spill: options.spill,
      writer,
      run: this,
      known,
      recorder: options.recorder,
    });
  }

  /**
   * Walks and reads everything.
   *
   * @returns What was found; packs have been handed over.
   * @throws {Error} If anything but the source failed, or the signal was given.
   */
  async run(): Promise<SavePipelineResult> {
    const { signal, source } = this.#options;
    const { failure } = this.#writer;
    const onAbort = (): void => this.fail(signal?.reason);
    const onFailure = (): void => this.fail(failure.reason);
    signal?.throwIfAborted();
    signal?.addEventListener("abort", onAbort);
    failure.addEventListener("abort", onFailure);
    try {
      await this.#readAll();
      if (this.#known !== undefined) this.#countKnown();
      this.#report(true);
      const { errors, errorCount, changed, changedCount } = this.#results;
      return {
        ids: this.#completer.rootIds ?? this.#options.previous!.root!.ids,
        totals: { ...this.#directories.totals },
        // The walk of the source has noted what it could not even list.
        errors: [...source.errors, ...errors],
        errorCount: source.errorCount + errorCount,
        changed,
        changedCount,
        youngByteCount: this.#walk.youngByteCount,
        areTotalsKnown: this.#walk.areTotalsKnown,
        devices: this.#devices.rows,
        unreal: this.#devices.unreal,
      };
    } catch (error) {
      this.fail(error);
      throw this.#failure!.error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      failure.removeEventListener("abort", onFailure);
      await this.#close();
    }
  }

  /** @inheritDoc */
  fail(error: unknown): void {
    this.#failure ??= { error };
    Atomics.store(new Int32Array(this.#thread.stop), 0, 1);
    this.#workers?.stop();
  }

  /** Ends the workers; packs that they have in hand are dropped. */
  async #close(): Promise<void> {
    this.#reader[Symbol.dispose]();
    const workers = this.#workers;
    this.#workers = undefined;
    await workers?.close();
  }

  async #readAll(): Promise<void> {
    const { source, previous } = this.#options;
    if (this.#known?.isSame(new Uint8Array(0)) === true) {
      previous!.root!.close();
      this.progress.isWalked = true;
      return;
    }
    const root = source.open();
    try {
      await this.#walk.run(root, previous?.root);
    } finally {
      root.close();
    }
    this.progress.isWalked = true;
    if (this.#held !== undefined) this.#own.push(this.#held);
    this.#held = undefined;
    await this.#readOwn();
    if (this.#workers !== undefined) {
      const { pool } = this.#workers;
      while (pool.isBusy) {
        this.#throwFailure();
        await this.#helpOrWait(pool);
        if (this.#writer.isFull) await this.#makeRoom();
        this.#report(false);
      }
      this.#throwFailure();
    }
    await this.#nameWide();
    await this.#finishPacks();
  }

  /** Counts the files that nobody had to look at. */
  #countKnown(): void {
    const { progress } = this;
    const { fileCount, byteCount } = this.#directories.totals;
    progress.fileCount = progress.foundFileCount = fileCount;
    progress.byteCount = progress.foundByteCount = byteCount;
  }

  async #nameWide(): Promise<void> {
    await this.#completer.nameWide(async () => {
      await this.#pacer.yield(STEP_COST);
      await this.#writer.settled();
      this.#throwFailure();
    });
  }

  async #finishPacks(): Promise<void> {
    await this.#workers?.finish();
    this.#throwFailure();
    this.#writer.sink().finish();
  }

  /** Everybody stops while what was claimed goes into the index. */
  async #makeRoom(): Promise<void> {
    await this.#workers?.pool.rest();
    this.#throwFailure();
    await this.#finishPacks();
    const index = await this.#writer.makeRoom();
    await this.#workers?.reopen(index);
    this.#throwFailure();
    this.#workers?.pool.resume();
  }

  /** One small batch alone is read here; else workers are worth their start. */
  #submit(batch: QueuedBatch): void {
    this.progress.foundFileCount += batch.rows.length;
    this.progress.foundByteCount += batch.byteCount;
    if (this.#options.workers === 0) return void this.#own.push(batch);
    const isFirst = this.#workers === undefined && this.#held === undefined;
    if (isFirst && batch.byteCount <= HELD_SIZE_MAX) {
      this.#held = batch;
      return;
    }
    const { pool } = this.#workers ??= new SaveWorkers({
      ...this.#options,
      thread: this.#thread,
      run: this,
    });
    if (this.#held !== undefined) pool.submit(this.#held);
    this.#held = undefined;
    pool.submit(batch);
  }

  async #readOwn(): Promise<void> {
    for (;;) {
      const batch = this.#own.shift();
      if (batch === undefined) return;
      // What fails meanwhile stops the steps, too.
      this.takeResult(batch, await this.#run(this.#reader.read(batch.batch)));
      this.#throwFailure();
    }
  }

  /** Runs steps to their end, but none while the store is far behind. */
  async #run<T>(steps: Generator<number, T>): Promise<T> {
    for (let step = steps.next();; step = steps.next()) {
      if (step.done) return step.value;
      this.#report(false);
      const turn = this.#pacer.yield(step.value);
      if (turn !== undefined) await turn;
      if (this.#writer.isBehind) await this.#writer.settled();
    }
  }

  /** Reads a batch in place of the worker that was not started, or waits until one has ended. */
  async #helpOrWait(pool: SaveWorkers["pool"]): Promise<void> {
    const batch = pool.takeBack(HELD_SIZE_MAX);
    if (batch === undefined) {
      if (this.progress.isWalked) this.#writer.sink().finish();
      return await this.#changed(pool);
    }
    this.#own.push(batch);
    await this.#readOwn();
    await this.#pacer.turn();
  }

  /** Waits until a batch has ended, or a large file is so far that it is worth telling. */
  async #changed(pool: SaveWorkers["pool"]): Promise<void> {
    if (this.#options.onProgress === undefined) return await pool.changed();
    await orSoon(pool.changed(), PROGRESS_INTERVAL_MS);
  }

  /** @inheritDoc */
  takeResult(batch: QueuedBatch, result: BatchResult): void {
    if (this.#failure !== undefined) return;
    this.#results.take(batch, result);
    this.progress.fileCount += batch.rows.length;
    this.progress.readFileCount += batch.rows.length;
    this.progress.byteCount += batch.byteCount;
    this.#inHand.add(-result.inHandByteCount);
    this.countNew(result);
    this.#report(false);
  }

  /** @inheritDoc */
  countNew({ newByteCount, newObjectCount }: NewCounts): void {
    this.progress.newByteCount += newByteCount;
    this.progress.newObjectCount += newObjectCount;
  }

  /** @inheritDoc */
  countUnchanged(byteCount: number): void {
    const { progress } = this;
    progress.foundFileCount++;
    progress.fileCount++;
    progress.foundByteCount += byteCount;
    progress.byteCount += byteCount;
  }

  /** @inheritDoc */
  pace(): Promise<void> | undefined {
    this.#throwFailure();
    const turn = this.#pacer.yield(STEP_COST);
    const isBehind = this.#own.length > 0 || this.#isAhead ||
      this.#writer.isFull;
    return turn !== undefined || isBehind ? this.#catchUp(turn) : undefined;
  }

  async #catchUp(turn: Promise<void> | undefined): Promise<void> {
    await turn;
    await this.#writer.settled();
    await this.#readOwn();
    await this.#nameWide();
    if (this.#writer.isFull) await this.#makeRoom();
    while (this.#isAhead) {
      this.#throwFailure();
      await this.#helpOrWait(this.#workers!.pool);
      this.#report(false);
    }
    this.#throwFailure();
    this.#report(false);
  }

  /** Whether so many batches wait that the walk has to. */
  get #isAhead(): boolean {
    return this.#workers !== undefined &&
      this.#workers.pool.waitingCount > BATCHES_AHEAD * this.#options.workers;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #report(isLast: boolean): void {
    const { onProgress } = this.#options;
    if (onProgress === undefined) return;
    const now = performance.now();
    if (!isLast && now - this.#lastProgress < PROGRESS_INTERVAL_MS) return;
    this.#lastProgress = now;
    const { byteCount, foundByteCount } = this.progress;
    const soFar = Math.min(byteCount + this.#inHand.byteCount, foundByteCount);
    onProgress({ ...this.progress, byteCount: Math.max(byteCount, soFar) });
  }
}
