import { localOwners } from "@snap/disk";
import { Pacer, PROGRESS_INTERVAL_MS } from "@snap/posix/pacer";
import { BatchQueue, type QueuedBatch } from "./walk/batch_queue.ts";
import { DeviceTable } from "./walk/device_table.ts";
import { DirectoryCompleter } from "./walk/directory_completer.ts";
import { DirectorySaver } from "./walk/directory_encoder.ts";
import { FileSystems } from "./walk/file_systems.ts";
import { InHand } from "./read/in_hand.ts";
import { orSoon } from "./or_soon.ts";
import { Lane } from "./read/large_file_ring.ts";
import { fitsLane } from "./read/large_file_reader.ts";
import type {
  BatchResult,
  IndexConfig,
  NewCounts,
  RecipeNode,
  SaverConfig,
} from "./messages.ts";
import { SavePool } from "./save_pool.ts";
import { SaveResults, type SetRow } from "./walk/save_results.ts";
import { Saver } from "./pack/saver.ts";
import { newSaveProgress, type SaveProgress } from "./progress.ts";
import type { SaveRunOptions, SaveRunResult } from "./pipeline_options.ts";
import { SaveWalk } from "./walk/save_walk.ts";

/** Files from this size on are read by one worker and packed by all. */
const LARGE_SIZE_MIN = 32 * 1024 * 1024;
/** Batches that wait for each worker before the walk does. */
const BATCHES_AHEAD = 4;
/** More than this is never read in this thread if there are others: it has to hear signals. */
const HELD_SIZE_MAX = 8 * 1024 * 1024;
/** What a step of the walk or of naming costs, in bytes read: the clock is worth a look. */
const STEP_COST = 256 * 1024;

/** One walk of a source, with everything that is read on the way. */
export class SaveRun {
  readonly progress: SaveProgress = newSaveProgress();
  readonly #options: SaveRunOptions;
  readonly #stop = new SharedArrayBuffer(4);
  readonly #inHandBuffer = new SharedArrayBuffer(8);
  readonly #inHand = new InHand(this.#inHandBuffer);
  readonly #queue: BatchQueue;
  readonly #walk: SaveWalk;
  readonly #directories: DirectorySaver;
  readonly #completer: DirectoryCompleter;
  readonly #devices: DeviceTable;
  readonly #results: SaveResults;
  #held: QueuedBatch | undefined;
  #pool: SavePool | undefined;
  #inline: Saver | undefined;
  #failure: { readonly error: unknown } | undefined;
  #index: IndexConfig;
  readonly #pacer = new Pacer();
  /** Batches that this thread has to read as there is no other. */
  readonly #own: QueuedBatch[] = [];
  #lastProgress = 0;

  /**
   * Constructs a new instance. Nothing is read yet.
   *
   * @param options What to read, and where to.
   */
  constructor(options: SaveRunOptions) {
    this.#options = options;
    this.#index = options.config;
    const { mode, settings } = options.config;
    const hasLane = options.workers > 1 && mode !== "name" &&
      fitsLane(settings);
    this.#queue = new BatchQueue(
      hasLane ? LARGE_SIZE_MIN : Infinity,
      (batch) => this.#submit(batch),
    );
    const systems = new FileSystems(options.source.path);
    this.#devices = new DeviceTable({
      parentStart: options.parentStart,
      isWellKnown: (stats, row) => systems.isWellKnown(stats, row),
      unrealType: (stats, row) => systems.unrealType(stats, row),
      trustStat: options.trustStat,
    });
    const owners = localOwners();
    this.#directories = new DirectorySaver({
      save: options.saveObject,
      deviceOf: (stats, row) => this.#devices.numberOf(stats, row),
      userName: (uid) => owners.userName(uid),
      groupName: (gid) => owners.groupName(gid),
    });
    this.#completer = new DirectoryCompleter(this.#directories);
    const setRow: SetRow = this.#directories.setRow.bind(this.#directories);
    this.#results = new SaveResults(setRow);
    this.#walk = new SaveWalk({
      setRow,
      makeWide: options.makeWide,
      queue: this.#queue,
      devices: this.#devices,
      putContent: (bytes) => this.#putContent(bytes),
      openParent: options.openParent,
      isStored: options.isStored ?? (() => true),
      settle: (directory) => this.#completer.settle(directory),
      onUnchanged: (byteCount) => this.#countUnchanged(byteCount),
      pace: () => this.#pace(),
    });
  }

  /**
   * Walks and reads everything.
   *
   * @returns What was found; packs have been handed over.
   * @throws {Error} If anything but the source failed, or the signal was given.
   */
  async run(): Promise<SaveRunResult> {
    const { signal, source } = this.#options;
    const onAbort = (): void => this.fail(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener("abort", onAbort);
    try {
      await this.#readAll();
      this.#report(true);
      const { errors, errorCount, changed, changedCount } = this.#results;
      return {
        ids: this.#completer.rootIds!,
        totals: { ...this.#directories.totals },
        // The walk of the source has noted what it could not even list.
        errors: [...source.errors, ...errors],
        errorCount: source.errorCount + errorCount,
        changed,
        changedCount,
        youngByteCount: this.#walk.youngByteCount,
        unreal: this.#devices.unreal,
      };
    } catch (error) {
      this.fail(error);
      throw this.#failure!.error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      await this.close();
    }
  }

  /**
   * Ends the run.
   *
   * @param error Why: what `run` throws.
   */
  fail(error: unknown): void {
    this.#failure ??= { error };
    Atomics.store(new Int32Array(this.#stop), 0, 1);
    this.#pool?.stop();
  }

  /** Ends the workers; packs in hand are dropped. */
  async close(): Promise<void> {
    this.#inline?.objects.discard();
    this.#inline?.[Symbol.dispose]();
    this.#inline = undefined;
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.close();
  }

  async #readAll(): Promise<void> {
    const { source, parent } = this.#options;
    const root = source.open();
    try {
      await this.#walk.run(root, parent);
    } finally {
      root.close();
    }
    this.progress.isWalked = true;
    if (this.#held !== undefined) this.#own.push(this.#held);
    this.#held = undefined;
    await this.#readOwn();
    if (this.#pool !== undefined) {
      while (this.#pool.isBusy) {
        this.#throwFailure();
        await this.#helpOrWait(this.#pool);
        if (this.#isFull) await this.#makeRoom();
        this.#report(false);
      }
      this.#throwFailure();
    }
    await this.#nameWide();
    await this.#finishPacks();
  }

  #nameWide(): Promise<void> {
    return this.#completer.nameWide(async () => {
      await this.#pacer.yield(STEP_COST);
      await this.#options.settled();
      this.#throwFailure();
    });
  }

  async #finishPacks(): Promise<void> {
    await this.#pool?.finish();
    this.#throwFailure();
    this.#inline?.objects.finish();
  }

  /** Everybody stops while what was claimed goes into the index. */
  async #makeRoom(): Promise<void> {
    await this.#pool?.rest();
    this.#throwFailure();
    await this.#finishPacks();
    this.#index = await this.#options.room!.make();
    await this.#pool?.reopen(this.#index);
    this.#inline?.reopen(this.#index);
    this.#throwFailure();
    this.#pool?.resume();
  }

  /** One small batch alone is read here; else workers are worth their start. */
  #submit(batch: QueuedBatch): void {
    this.progress.foundFileCount += batch.rows.length;
    this.progress.foundByteCount += batch.byteCount;
    if (this.#options.workers === 0) return void this.#own.push(batch);
    const isFirst = this.#pool === undefined && this.#held === undefined;
    if (isFirst && batch.byteCount <= HELD_SIZE_MAX) {
      this.#held = batch;
      return;
    }
    this.#pool ??= this.#startPool();
    if (this.#held !== undefined) this.#pool.submit(this.#held);
    this.#held = undefined;
    this.#pool.submit(batch);
  }

  #startPool(): SavePool {
    const { workers, hasher, onPack } = this.#options;
    const lane = new Lane().buffer;
    return new SavePool({
      count: workers,
      lane,
      configOf: (worker) => ({
        ...this.#saverConfig(worker),
        lane,
        hasher: hasher.name,
      }),
      onResult: (batch, result) => this.#takeResult(batch, result),
      onHelped: (counts) => this.#countNew(counts),
      onPack,
      onRecipes: (nodes) => this.#saveRecipes(nodes),
      onError: (error) => this.fail(error),
    });
  }

  #saverConfig(worker: number): SaverConfig {
    const { config, source, spoolPaths } = this.#options;
    const { indexTables, presentPacks } = this.#index;
    return {
      ...config,
      indexTables,
      ...(presentPacks === undefined ? {} : { presentPacks }),
      source: source.path,
      spoolPath: spoolPaths[worker],
      stop: this.#stop,
      inHand: this.#inHandBuffer,
    };
  }

  #saver(): Saver {
    const { workers, hasher, random, onPack } = this.#options;
    this.#inline ??= new Saver(this.#saverConfig(workers), {
      hasher,
      random,
      onPack,
      onRecipes: (nodes) => this.#saveRecipes(nodes),
    });
    return this.#inline;
  }

  async #readOwn(): Promise<void> {
    for (;;) {
      const batch = this.#own.shift();
      if (batch === undefined) return;
      const steps = this.#telling(this.#saver().steps(batch.batch));
      // What fails meanwhile stops the steps, too.
      this.#takeResult(batch, await this.#pacer.run(steps));
      this.#throwFailure();
    }
  }

  *#telling<T>(steps: Generator<number, T>): Generator<number, T> {
    for (let step = steps.next();; step = steps.next()) {
      if (step.done) return step.value;
      this.#report(false);
      yield step.value;
    }
  }

  /** Reads a batch in place of the worker that was not started, or waits until one has ended. */
  async #helpOrWait(pool: SavePool): Promise<void> {
    const batch = pool.takeBack(HELD_SIZE_MAX);
    if (batch === undefined) {
      if (this.progress.isWalked) this.#inline?.objects.finish();
      return await this.#changed(pool);
    }
    this.#own.push(batch);
    await this.#readOwn();
    await this.#pacer.turn();
  }

  /** Waits until a batch has ended, or a large file is so far that it is worth telling. */
  async #changed(pool: SavePool): Promise<void> {
    if (this.#options.onProgress === undefined) return await pool.changed();
    await orSoon(pool.changed(), PROGRESS_INTERVAL_MS);
  }

  #putContent(bytes: Uint8Array): Uint8Array {
    const { objects } = this.#saver();
    const id = objects.putContent(bytes);
    objects.flushRecipes();
    return id;
  }

  #saveRecipes(nodes: readonly RecipeNode[]): void {
    for (const node of nodes) this.#options.saveRecipe(node);
  }

  #takeResult(batch: QueuedBatch, result: BatchResult): void {
    if (this.#failure !== undefined) return;
    this.#results.take(
      batch,
      result,
      (directory) => this.#completer.settle(directory),
    );
    this.progress.fileCount += batch.rows.length;
    this.progress.readFileCount += batch.rows.length;
    this.progress.byteCount += batch.byteCount;
    this.#inHand.add(-result.inHandByteCount);
    this.#countNew(result);
    this.#report(false);
  }

  #countNew({ newByteCount, newObjectCount }: NewCounts): void {
    this.progress.newByteCount += newByteCount;
    this.progress.newObjectCount += newObjectCount;
  }

  #countUnchanged(byteCount: number): void {
    const { progress } = this;
    progress.foundFileCount++;
    progress.fileCount++;
    progress.foundByteCount += byteCount;
    progress.byteCount += byteCount;
  }

  #pace(): Promise<void> | undefined {
    this.#throwFailure();
    const turn = this.#pacer.yield(STEP_COST);
    const isBehind = this.#own.length > 0 || this.#isAhead || this.#isFull;
    return turn !== undefined || isBehind ? this.#catchUp(turn) : undefined;
  }

  async #catchUp(turn: Promise<void> | undefined): Promise<void> {
    await turn;
    await this.#options.settled();
    await this.#readOwn();
    await this.#nameWide();
    if (this.#isFull) await this.#makeRoom();
    while (this.#isAhead) {
      this.#throwFailure();
      await this.#helpOrWait(this.#pool!);
      this.#report(false);
    }
    this.#throwFailure();
    this.#report(false);
  }

  /** Whether so many batches wait that the walk has to. */
  get #isAhead(): boolean {
    return this.#pool !== undefined &&
      this.#pool.waitingCount > BATCHES_AHEAD * this.#options.workers;
  }

  get #isFull(): boolean {
    return this.#options.room?.isFull() === true;
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
