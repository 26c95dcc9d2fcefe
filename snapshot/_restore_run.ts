import {
  type DiskCalls,
  DiskError,
  localOwners,
  type Target,
} from "@snap/disk";
import type { ReadStore } from "@snap/store";
import { isFileKind } from "@snap/manifest/entry-kind";
import { joinPath } from "@snap/manifest/path";
import type { StoreReader } from "@snap/pack/store-reader";
import { directoryOf, nameOf, pathOf } from "./_batch_rows.ts";
import { type DeferredEntry, EntryMaker } from "./_deferred_entries.ts";
import { DirectoryTable } from "./_directory_table.ts";
import { fetchFrames } from "./_fetch_frames.ts";
import { FileWindow, type WindowFile } from "./_file_window.ts";
import { nextTurn } from "./_next_turn.ts";
import type { SnapshotDirectory } from "./_read_directory.ts";
import { RestoreAttributes } from "./_restore_attributes.ts";
import { cutBatches } from "./_restore_batches.ts";
import {
  COUNTER_UNIT,
  FilePlan,
  type RestoreBatch,
  type RestoreBatchResult,
  type RestorerConfig,
  RestoreStatus,
} from "./_restore_messages.ts";
import { RestorePool } from "./_restore_pool.ts";
import { RestoreWalk } from "./_restore_walk.ts";
import { isFatal, Restorer } from "./_restorer.ts";
import { SlowFiles } from "./_slow_files.ts";
import {
  newRestoreProgress,
  type RestoreProgress,
} from "./restore_progress.ts";
import { PROGRESS_INTERVAL_MS } from "./save_progress.ts";
import {
  hasNumbers,
  TIME_UNIT_NS,
  toAttributes,
} from "./_wanted_attributes.ts";
import { StatTable } from "@snap/posix/stat-table";

/** Files of the first window, and of the largest. */
const WINDOW_FIRST = 1024;
const WINDOW_MAX = 65536;
/** Batches that wait for each worker before the walk does. */
const BATCHES_AHEAD = 4;
/** Entries that wait until files are there, at most. */
const DEFERRED_MAX = 32768;
/** Messages are let in at least this often. */
const BREATH_MS = 10;

/** A change of the target, planned or done. */
export type ChangeKind = "added" | "replaced" | "attributes" | "deleted";

/** What {@linkcode RestoreRun} needs. */
export interface RestoreRunOptions {
  readonly reader: StoreReader;
  readonly store: ReadStore;
  /** The target; absent in a dry run if it does not exist. */
  readonly target: Target | undefined;
  readonly config: Omit<RestorerConfig, "control" | "worker">;
  readonly calls: DiskCalls;
  /** Workers; none writes in this thread. */
  readonly workers: number;
  readonly owner: boolean;
  readonly delete: boolean;
  readonly entryCountMax: number;
  readonly onChange:
    | ((change: { kind: ChangeKind; path: Uint8Array }) => void)
    | undefined;
  readonly onProgress: ((progress: RestoreProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What a run did. */
export interface RestoreCounts {
  writtenFileCount: number;
  unchangedCount: number;
  deletedCount: number;
  entryCount: number;
}

/** One restore: the walk, the files, then links and attributes of directories. */
export class RestoreRun {
  readonly progress: RestoreProgress = newRestoreProgress();
  readonly errors: DiskError[] = [];
  readonly counts: RestoreCounts = {
    writtenFileCount: 0,
    unchangedCount: 0,
    deletedCount: 0,
    entryCount: 0,
  };
  readonly #options: RestoreRunOptions;
  readonly #control: SharedArrayBuffer;
  readonly #directories = new DirectoryTable();
  readonly #maker: EntryMaker;
  readonly #walk: RestoreWalk;
  readonly #slow: SlowFiles;
  #window = new FileWindow(WINDOW_FIRST);
  #deferred: DeferredEntry[] = [];
  /** Files that wait for the slow way. */
  #leftOver: { readonly batch: RestoreBatch; readonly row: number }[] = [];
  #pool: RestorePool | undefined;
  #inline: Restorer | undefined;
  #batchNumber = 0;
  #doneByteCount = 0;
  #failure: { readonly error: unknown } | undefined;
  #lastBreath = performance.now();

  /**
   * Constructs a new instance. Nothing is written yet.
   *
   * @param options What to restore, and where to.
   */
  constructor(options: RestoreRunOptions) {
    this.#options = options;
    const { config, reader, target } = options;
    this.#control = new SharedArrayBuffer(4 * (2 + options.workers));
    const onError = (error: DiskError): void => this.#takeError(error);
    this.#maker = new EntryMaker({
      ...options,
      ...config,
      targetPath: config.target,
      target,
      onError,
    });
    this.#slow = new SlowFiles({
      ...options,
      ...config,
      target: config.isDry ? undefined : target,
      onError,
    });
    this.#walk = new RestoreWalk({
      ...options,
      isDry: config.isDry,
      attributes: new RestoreAttributes({
        ...options,
        ...config,
        reader,
        owners: localOwners(),
      }),
      directories: this.#directories,
      maker: this.#maker,
      onFile: (file) => this.#addFile(file),
      onDeferred: (entry) => this.#addDeferred(entry),
      onError,
      onChange: (kind, directory, name) => {
        this.#tellChange(kind, directory, name);
      },
      breathe: () => this.#breathe(),
    });
  }

  /**
   * Restores all entries of a directory, or one entry of it.
   *
   * @param directory The directory of the snapshot.
   * @param row The row of the one entry, if it is one.
   * @throws {Error} If the restore cannot go on; nothing half written stays.
   */
  async run(directory: SnapshotDirectory, row?: number): Promise<void> {
    const { signal, onProgress } = this.#options;
    const onAbort = (): void => this.#fail(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener("abort", onAbort);
    const timer = onProgress === undefined
      ? undefined
      : setInterval(() => this.#report(), PROGRESS_INTERVAL_MS);
    try {
      if (row === undefined) await this.#walk.run(directory);
      else await this.#walk.runEntry(directory, row);
      this.progress.isWalked = true;
      await this.#finishFiles();
      await this.#makeDeferred();
      this.#setDirectories();
      this.#report();
    } catch (error) {
      this.#fail(error);
      throw this.#failure!.error;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener("abort", onAbort);
      await this.#close();
    }
    this.counts.deletedCount = this.#walk.deletedCount;
    this.counts.entryCount = this.#walk.entryCount;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    Atomics.store(new Int32Array(this.#control), 0, 1);
    this.#pool?.stop();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #close(): Promise<void> {
    this.#inline?.[Symbol.dispose]();
    await this.#pool?.close();
  }

  #takeError(error: DiskError): void {
    if (isFatal(error.code)) throw error;
    this.errors.push(error);
  }

  #tellChange(
    kind: ChangeKind,
    directory: Uint8Array,
    name: Uint8Array,
  ): void {
    const { onChange } = this.#options;
    if (onChange === undefined) return;
    onChange({ kind, path: joinPath(directory, name) });
  }

  #addFile(file: WindowFile): Promise<void> | undefined {
    this.progress.foundFileCount++;
    this.progress.foundByteCount += file.tree.size(file.row);
    this.#window.add(file);
    return this.#window.isFull ? this.#flush() : undefined;
  }

  /** Hands the files of the window out, and begins a larger one. */
  async #flush(): Promise<void> {
    const window = this.#window;
    this.#window = new FileWindow(Math.min(2 * window.sizeMax, WINDOW_MAX));
    for (const batch of cutBatches(window, () => this.#batchNumber++)) {
      this.#throwFailure();
      await this.#submit(batch);
    }
  }

  async #submit(batch: RestoreBatch): Promise<void> {
    const { config, store, workers, signal } = this.#options;
    let ready = batch;
    if (config.storePrefix === undefined && !config.isDry) {
      const options = signal === undefined ? {} : { signal };
      ready = { ...batch, stored: await fetchFrames(store, batch, options) };
    }
    if (workers === 0) return await this.#writeInline(ready);
    this.#pool ??= this.#startPool();
    this.#pool.submit(ready);
    while (this.#pool.waitingCount > BATCHES_AHEAD * workers) {
      await this.#pool.changed();
      this.#throwFailure();
    }
  }

  #startPool(): RestorePool {
    const { workers, config, reader } = this.#options;
    return new RestorePool({
      count: workers,
      configOf: (worker) => ({
        ...config,
        control: this.#control,
        worker,
        hasher: reader.hasher.name,
      }),
      onResult: (batch, result) => this.#takeResult(batch, result),
      onError: (error) => this.#fail(error),
    });
  }

  async #writeInline(batch: RestoreBatch): Promise<void> {
    const { calls, config, reader, workers } = this.#options;
    this.#inline ??= new Restorer(
      { ...config, control: this.#control, worker: workers },
      { hasher: reader.hasher, calls },
    );
    const steps = this.#inline.restore(batch);
    try {
      let step = steps.next();
      for (; step.done !== true; step = steps.next()) {
        const breath = this.#breathe();
        if (breath !== undefined) await breath;
      }
      this.#takeResult(batch, step.value);
    } finally {
      steps.return(undefined as never);
    }
    this.#throwFailure();
  }

  #takeResult(batch: RestoreBatch, result: RestoreBatchResult): void {
    for (const { index, action, code } of result.errors) {
      this.#takeError(new DiskError(action, pathOf(batch, index), code));
    }
    for (let row = 0; row < batch.count; row++) {
      const status = result.status[row];
      if (status === RestoreStatus.damaged) {
        this.#leftOver.push({ batch, row });
      } else if (
        status !== RestoreStatus.failed && status !== RestoreStatus.stopped
      ) this.#count(batch, row, status);
    }
    this.progress.writtenByteCount += result.writtenByteCount;
  }

  #count(batch: RestoreBatch, row: number, status: number): void {
    this.progress.fileCount++;
    this.#doneByteCount += batch.sizes[row];
    if (status === RestoreStatus.unchanged) {
      this.counts.unchangedCount++;
      return;
    }
    if (status === RestoreStatus.written) this.counts.writtenFileCount++;
    if (this.#options.onChange === undefined) return;
    const kind = status === RestoreStatus.attributes
      ? "attributes"
      : batch.plans[row] === FilePlan.create
      ? "added"
      : "replaced";
    this.#tellChange(kind, directoryOf(batch, row), nameOf(batch, row));
  }

  async #finishFiles(): Promise<void> {
    await this.#flush();
    const pool = this.#pool;
    while (pool?.isBusy === true) {
      await pool.changed();
      this.#throwFailure();
    }
    this.#throwFailure();
    await this.#writeLeftOver();
  }

  async #writeLeftOver(): Promise<void> {
    const files = this.#leftOver;
    this.#leftOver = [];
    for (const { batch, row } of files) {
      this.#throwFailure();
      if (!await this.#slow.write(batch, row)) continue;
      this.#count(batch, row, RestoreStatus.written);
      this.progress.writtenByteCount += batch.sizes[row];
    }
  }

  #addDeferred(entry: DeferredEntry): Promise<void> | undefined {
    this.#deferred.push(entry);
    if (isFileKind(entry.kind)) {
      this.progress.foundFileCount++;
      this.progress.foundByteCount += entry.size;
    }
    return this.#deferred.length >= DEFERRED_MAX
      ? this.#makeEarly()
      : undefined;
  }

  /** So many wait that memory would be short: they are made in between. */
  async #makeEarly(): Promise<void> {
    await this.#finishFiles();
    await this.#makeDeferred();
  }

  /** Makes what waited: hard links and devices first, symbolic links last. */
  async #makeDeferred(): Promise<void> {
    const entries = this.#deferred;
    this.#deferred = [];
    for (const isLast of [false, true]) {
      for (const entry of entries) {
        if ((entry.to !== undefined) !== isLast) continue;
        this.#makeEntry(entry);
        const breath = this.#breathe();
        if (breath !== undefined) await breath;
      }
    }
  }

  #makeEntry(entry: DeferredEntry): void {
    try {
      const outcome = this.#maker.make(entry);
      if (outcome === "unchanged") this.counts.unchangedCount++;
      else this.#tellChange(outcome, entry.directory, entry.name);
      if (!isFileKind(entry.kind)) return;
      this.progress.fileCount++;
      this.#doneByteCount += entry.size;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#takeError(error);
    }
  }

  /** Those made last come first: what is below a directory touches its time. */
  #setDirectories(): void {
    if (this.#options.config.isDry) return;
    for (let i = this.#directories.count - 1; i >= 0; i--) {
      try {
        this.#setDirectory(i);
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        this.#takeError(error);
      }
    }
  }

  #setDirectory(number: number): void {
    const table = this.#directories;
    const target = this.#options.target!;
    const numbers = table.numbers(number);
    const xattrs = table.xattrs.get(number);
    if (!table.isNew(number)) {
      const parent = target.directoryAt(table.path(table.parent(number)));
      const stats = new StatTable(1);
      target.stat(parent, table.name(number), stats, 0);
      const unitNs = TIME_UNIT_NS[target.fidelity];
      if (xattrs === undefined && hasNumbers(numbers, stats, 0, unitNs)) return;
    }
    const directory = target.directoryAt(table.path(number));
    const wanted = toAttributes(numbers, xattrs);
    for (const error of target.setDirectoryAttributes(directory, wanted)) {
      this.#takeError(error);
    }
  }

  #breathe(): Promise<void> | undefined {
    this.#throwFailure();
    const isLate = performance.now() - this.#lastBreath > BREATH_MS;
    return isLate ? this.#breatheOut() : undefined;
  }

  async #breatheOut(): Promise<void> {
    await nextTurn();
    this.#throwFailure();
    this.#lastBreath = performance.now();
  }

  #report(): void {
    const { progress } = this;
    const control = new Int32Array(this.#control);
    let units = 0;
    for (let i = 1; i < control.length; i++) units += Atomics.load(control, i);
    const byteCount = this.#doneByteCount + units * COUNTER_UNIT;
    progress.byteCount = Math.min(
      Math.max(progress.byteCount, byteCount),
      progress.foundByteCount,
    );
    progress.foundEntryCount = this.#walk.entryCount;
    this.#options.onProgress?.(progress);
  }
}
