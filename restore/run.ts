import type { KnownDirectories } from "./known_directories.ts";
import { type DiskCalls, DiskError } from "@snap/disk";
import type { OwnerIds } from "@snap/manifest";
import type { Target } from "@snap/disk/target";
import { isFileKind } from "@snap/manifest/extras";
import { joinPath } from "@snap/manifest/path";
import { AT_FDCWD, PERMISSION_MASK } from "@snap/posix/constants";
import { Pacer, PROGRESS_INTERVAL_MS } from "@snap/posix/pacer";
import { StatTable } from "@snap/posix/stat-table";
import type { StoreReader } from "@snap/pack/read";
import type { ReadStore } from "@snap/store";
import { directoryOf, nameOf, xattrsOf } from "./plan/batch_rows.ts";
import {
  type DeferredEntry,
  EntryMaker,
  type EntryOutcome,
} from "./write/deferred_entries.ts";
import { DirectoryTable } from "./write/directory_table.ts";
import { entryError } from "./plan/entry_error.ts";
import { isFatal, isFatalForAttribute } from "./write/fatal_errors.ts";
import type { WindowFile } from "./plan/file_window.ts";
import { givesRights } from "./plan/gives_rights.ts";
import { LateEntries } from "./late_entries.ts";
import { LinkGroups } from "./plan/link_groups.ts";
import { OwnEntries } from "./own_entries.ts";
import type { SnapshotDirectory } from "./plan/read_directory.ts";
import { RestoreAttributes } from "./write/attributes.ts";
import { RestoreFiles } from "./write/files.ts";
import {
  FilePlan,
  type RestoreBatch,
  type RestorerConfig,
  RestoreStatus,
} from "./messages.ts";
import { RestoreWalk } from "./walk.ts";
import { newRestoreProgress, type RestoreProgress } from "./progress.ts";
import { FallbackWriter } from "./write/fallback_writer.ts";
import {
  hasNumbers,
  TIME_UNIT_NS,
  toAttributes,
} from "./write/wanted_attributes.ts";

/** Cost of making or looking at an entry, in bytes read. */
const ENTRY_COST = 32 * 1024;

/** A change of the target, planned or done. */
export type ChangeKind = "added" | "replaced" | "attributes" | "deleted";

/** Parts of {@linkcode RestoreRun}. */
export interface RestoreRunOptions {
  readonly reader: StoreReader;
  /** The target; absent in a dry run if it does not exist. */
  readonly target: Target | undefined;
  /** The store that is restored from. */
  readonly store: ReadStore;
  readonly config: Omit<RestorerConfig, "control" | "worker">;
  readonly calls: DiskCalls;
  /** Workers; none writes in this thread. */
  readonly workers: number;
  readonly owner: boolean;
  /** Numbers of owners on this machine, by name. */
  readonly owners: OwnerIds;
  /** Whether the saver could not read extended attributes and holes. */
  readonly isReduced: boolean;
  readonly delete: boolean;
  readonly known: KnownDirectories | undefined;
  readonly entryCountMax: number;
  /** Plain bytes that are expected, 0 if that is not known. */
  readonly expectedByteCount: number;
  readonly onChange:
    | ((change: { kind: ChangeKind; path: Uint8Array }) => void)
    | undefined;
  readonly onProgress: ((progress: RestoreProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Result of a run. */
export interface RestoreCounts {
  writtenFileCount: number;
  unchangedCount: number;
  deletedCount: number;
  privilegedCount: number;
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
    privilegedCount: 0,
    entryCount: 0,
  };
  readonly #options: RestoreRunOptions;
  readonly #directories = new DirectoryTable();
  readonly #links = new LinkGroups();
  readonly #own: OwnEntries;
  readonly #walk: RestoreWalk;
  readonly #files: RestoreFiles;
  readonly #late: LateEntries;
  #doneByteCount = 0;
  #failure: { readonly error: unknown } | undefined;
  readonly #pacer: Pacer;

  constructor(options: RestoreRunOptions) {
    this.#options = options;
    this.#pacer = new Pacer({ signal: options.signal });
    const { config, reader, target } = options;
    const onError = (error: DiskError): void => this.#takeError(error);
    const onMissing = (error: DiskError): void => this.#takeMissing(error);
    const pace = (cost?: number): Promise<void> | undefined => this.#pace(cost);
    const maker = new EntryMaker({
      ...options,
      ...config,
      targetPath: config.target,
      target,
      onMissing,
    });
    const attributes = new RestoreAttributes({
      ...options,
      ...config,
      reader,
      onError,
    });
    this.#files = new RestoreFiles({
      ...options,
      slow: new FallbackWriter({
        ...options,
        ...config,
        target: config.isDry ? undefined : target,
        clear: (directory, name) => maker.clear(directory, name),
        onError,
        onMissing,
      }),
      onError,
      onMissing,
      onFile: (batch, row, status) => this.#countFile(batch, row, status),
      onWritten: (size) => void (this.progress.writtenByteCount += size),
      onFailure: (error) => this.#fail(error),
      pace,
      throwFailure: () => this.#throwFailure(),
    });
    this.#own = new OwnEntries({ ...options, attributes, onError });
    this.#late = new LateEntries({
      maker,
      links: this.#links,
      own: this.#own,
      files: this.#files,
      onMade: (entry, outcome) => this.#countEntry(entry, outcome),
      onError,
      pace,
    });
    this.#walk = new RestoreWalk({
      ...options,
      isDry: config.isDry,
      attributes,
      directories: this.#directories,
      maker,
      links: this.#links,
      onFile: (file) => this.#addFile(file),
      onDeferred: (entry) => this.#addDeferred(entry),
      onError,
      onChange: (kind, directory, name) => {
        this.#tellChange(kind, directory, name);
      },
      pace,
    });
  }

  /**
   * Restores all entries of a directory, or one entry of it.
   *
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
      this.#files.start();
      this.#own.start(directory);
      if (row === undefined) {
        this.#makeWritable();
        await this.#walk.run(directory);
      } else await this.#walk.runEntry(directory, row);
      this.progress.isWalked = true;
      await this.#late.make(true);
      await this.#setDirectories();
      this.#report();
    } catch (error) {
      this.#fail(error);
      throw this.#failure!.error;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener("abort", onAbort);
      await this.#walk.close();
      await this.#files.close();
    }
    Object.assign(this.counts, this.#walk.counts);
  }

  /** Lets an ordinary user restore into an own target whose mode forbids it, as below it. */
  #makeWritable(): void {
    const { calls, config, target } = this.#options;
    if (config.isDry || target === undefined) return;
    const stats = new StatTable(1);
    const path = Uint8Array.of(...config.target, 0);
    if (calls.statAt(AT_FDCWD, path, 0, stats, 0) < 0) return;
    const mode = stats.mode(0) & PERMISSION_MASK;
    const euid = calls.geteuid();
    if (euid === 0 || stats.uid(0) !== euid || (mode & 0o700) === 0o700) return;
    target.setDirectoryAttributes(target.root, { mode: mode | 0o700 });
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#files.stop();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #takeError(error: DiskError): void {
    if (isFatal(error.code)) throw error;
    this.errors.push(error);
  }

  /** Takes note of an attribute that could not be set. */
  #takeMissing(error: DiskError): void {
    if (isFatalForAttribute(error.code)) throw error;
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
    return this.#files.add(file);
  }

  #countFile(batch: RestoreBatch, row: number, status: number): void {
    this.progress.fileCount++;
    this.#doneByteCount += batch.sizes[row];
    const how = status === RestoreStatus.written ? "written" : "found";
    this.#links.arrive(directoryOf(batch, row), nameOf(batch, row), how);
    if (status === RestoreStatus.unchanged) {
      this.counts.unchangedCount++;
      return;
    }
    if (status === RestoreStatus.written) this.counts.writtenFileCount++;
    if (givesRights(batch.modes[row], xattrsOf(batch, row))) {
      this.counts.privilegedCount++;
    }
    if (this.#options.onChange === undefined) return;
    const kind = status === RestoreStatus.attributes
      ? "attributes"
      : batch.plans[row] === FilePlan.create
      ? "added"
      : "replaced";
    this.#tellChange(kind, directoryOf(batch, row), nameOf(batch, row));
  }

  #addDeferred(entry: DeferredEntry): Promise<void> | undefined {
    if (isFileKind(entry.kind)) {
      this.progress.foundFileCount++;
      this.progress.foundByteCount += entry.size;
    }
    return this.#late.add(entry);
  }

  #countEntry(entry: DeferredEntry, outcome: EntryOutcome): void {
    const { device, directory, group, name } = entry;
    if (isFileKind(entry.kind)) {
      this.progress.fileCount++;
      this.#doneByteCount += entry.size;
    }
    if (outcome === "unchanged") {
      this.counts.unchangedCount++;
      return;
    }
    // One more name of a file or a device gives no more than its first.
    if (device !== undefined && group === undefined) {
      this.counts.privilegedCount++;
    }
    this.#tellChange(outcome, directory, name);
  }

  /** The last made come first: making an entry touches the time of its directory. */
  async #setDirectories(): Promise<void> {
    if (this.#options.config.isDry) return;
    for (let i = this.#directories.count - 1; i >= 0; i--) {
      try {
        this.#setDirectory(i);
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        this.#takeError(entryError(error, this.#directories.path(i)));
      }
      const turn = this.#pace();
      if (turn !== undefined) await turn;
    }
  }

  #setDirectory(number: number): void {
    const table = this.#directories;
    const target = this.#options.target!;
    const numbers = table.numbers(number);
    const xattrs = table.xattrs(number);
    if (!table.isNew(number)) {
      const parent = target.directoryAt(table.path(table.parent(number)));
      const name = table.name(number);
      const stats = new StatTable(1);
      target.stat(parent, name, stats, 0);
      const unitNs = TIME_UNIT_NS[target.fidelity];
      const isSame = hasNumbers(numbers, stats, 0, unitNs) &&
        (xattrs === undefined || target.hasXattrs(parent, name, xattrs));
      if (isSame) return;
    }
    const isFresh = table.isFresh(number);
    const directory = target.directoryAt(table.path(number), { isFresh });
    const wanted = toAttributes(numbers, xattrs);
    for (const error of target.setDirectoryAttributes(directory, wanted)) {
      this.#takeMissing(error);
    }
  }

  /** Lets the event loop have its turn where it is time: a signal ends the restore there. */
  #pace(cost = ENTRY_COST): Promise<void> | undefined {
    this.#throwFailure();
    return this.#pacer.yield(cost);
  }

  #report(): void {
    const { progress } = this;
    const byteCount = this.#doneByteCount + this.#files.openByteCount;
    progress.byteCount = Math.min(
      Math.max(progress.byteCount, byteCount),
      progress.foundByteCount,
    );
    progress.foundEntryCount = this.#walk.counts.entryCount;
    this.#options.onProgress?.(progress);
  }
}
