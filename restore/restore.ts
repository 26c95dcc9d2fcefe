import { type DiskCalls, diskCalls, DiskError, localOwners } from "@snap/disk";
import { openTarget, type Target } from "@snap/disk/target";
import { checkTextOrBytes, idToBytes } from "@snap/hash";
import { EntryKind } from "@snap/manifest/extras";
import { displayPath, splitPath } from "@snap/manifest/path";
import type { StoreReader } from "@snap/pack/read";
import { Owners } from "@snap/posix/owners";
import { runAtOnce } from "@snap/posix/pacer";
import { StatTable } from "@snap/posix/stat-table";
import type { ReadStore, StoreOptions } from "@snap/store";
import {
  readDirectory,
  type SnapshotDirectory,
} from "./plan/read_directory.ts";
import type { NamedRecord } from "@snap/snapshot/records";
import { EntryNotFoundError, TargetNotEmptyError } from "./errors.ts";
import type { KnownDirectories } from "./known_directories.ts";
import type { RestoreProgress } from "./progress.ts";
import type { RestorerConfig } from "./messages.ts";
import { openRestoreReader } from "./reader.ts";
import { renamedEntry } from "./plan/renamed_entry.ts";
import { RestoreRun } from "./run.ts";
import { liesInStore, type StorePlace, storePlace } from "@snap/disk/source";
import { tolerateDamage } from "./plan/tolerate_damage.ts";
import { checkRecord, checkSnapshots, type Snapshots } from "@snap/snapshot";

const SLASH = 0x2f;

/** A change of the target, planned or done. */
export interface RestoreChange {
  /** Action on the entry. */
  readonly kind: "added" | "replaced" | "attributes" | "deleted";
  /** Its path relative to the target. */
  readonly path: Uint8Array;
}

/** Options for {@linkcode restore}. */
export interface RestoreOptions extends StoreOptions {
  /**
   * Restores this entry only: what a directory holds into the target; anything else as `cp` does,
   * into a target that is a directory, or else as what the target names.
   */
  path?: Uint8Array;
  /**
   * Threads that decode and write; as many as there are cores is best. None does everything in
   * this thread, and so is done where there is little.
   *
   * @default {0}
   */
  workers?: number;
  /** Allows a target that is not empty; what differs is replaced. */
  existing?: boolean;
  /**
   * Removes what the snapshot does not have, also a full directory where the snapshot has
   * something else. The store itself stays, wherever it lies.
   */
  delete?: boolean;
  /** Finds out what would change, and changes nothing. */
  dryRun?: boolean;
  /** Restores owners; if left out, only root does. Without owners set-id bits are left out. */
  owner?: boolean;
  /** Restores owners by their recorded numbers, whatever names these have on this machine. */
  numericOwner?: boolean;
  /**
   * Restores extended attributes.
   *
   * @default {true}
   */
  xattrs?: boolean;
  /**
   * Knows which directories are as the snapshot says, with all below them: they are not opened.
   *
   * @internal
   */
  known?: KnownDirectories;
  /** Told of each change. */
  onChange?: (change: RestoreChange) => void;
  /** Called at most ten times a second, and once at the end. */
  onProgress?: (progress: RestoreProgress) => void;
  /** The calls of the operating system; the best there are if absent. Not heard by workers. */
  calls?: DiskCalls;
}

/** Result of {@linkcode restore}. */
export interface RestoreResult {
  /** Entries of the snapshot that were looked at. */
  readonly entryCount: number;
  /** Files that are as they should be now. */
  readonly fileCount: number;
  /** Plain bytes of those files. */
  readonly byteCount: number;
  /** Files that had to be written. */
  readonly writtenFileCount: number;
  /** Plain bytes of those. */
  readonly writtenByteCount: number;
  /** Files and links that stood there already. */
  readonly unchangedCount: number;
  /** Entries that were removed, each with all below it, as the snapshot does not have them. */
  readonly deletedCount: number;
  /**
   * Set-id files, files with capabilities and devices among what was written or was given other
   * attributes, also those of which an error in `errors` says that it was not done in full. The
   * record chose them, not the id of the snapshot.
   */
  readonly privilegedCount: number;
  /**
   * Errors of single entries; everything else was done. A {@linkcode DamagedEntryError} names the object
   * and the pack.
   */
  readonly errors: readonly DiskError[];
  /** `reduced` if times, names or attributes could not be set in full. */
  readonly fidelity: "full" | "reduced";
}

/**
 * Restores a snapshot into a directory, or one entry as a file. Nothing outside of the directory is touched, whatever the
 * snapshot says and whatever links stand there. Every byte is checked before a file has its name.
 *
 * @param target The directory, which is made if absent; for one entry its new name, too.
 * @param options What is restored, and how.
 * @returns What was done, with the errors of single entries.
 * @throws {DiskError} If the target cannot be opened or is full.
 * @throws {RangeError} If the target is the store, or lies in it.
 * @throws {TargetNotEmptyError} If the target holds something and `existing` is not set.
 * @throws {EntryNotFoundError} If the snapshot has no such path.
 * @throws {DamagedEntryError} If the root of the snapshot is damaged.
 * @throws {StoreError} If the store fails.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { MemoryStore } from "@snap/store/memory";
 * import { initStore } from "@snap/store/format";
 * import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
 * import { openSnapshots } from "@snap/snapshot";
 * import { restore } from "@snap/restore";
 * import { save } from "@snap/save";
 * import { equal } from "node:assert/strict";
 *
 * const folder = mkdtempSync("/tmp/restore-");
 * writeFileSync(`${folder}/letter`, "hello");
 * const store = new MemoryStore();
 * await initStore(store, {});
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { record } = await save(snapshots, folder);
 *
 * const { errors } = await restore(snapshots, record, `${folder}/again`);
 * equal(errors.length, 0);
 * equal(readFileSync(`${folder}/again/letter`, "utf8"), "hello");
 * await snapshots[Symbol.asyncDispose]();
 * ```
 */
export async function restore(
  snapshots: Snapshots<ReadStore>,
  record: NamedRecord,
  target: string | Uint8Array,
  options: RestoreOptions = {},
): Promise<RestoreResult> {
  const action = "restore";
  checkSnapshots(snapshots, action);
  checkRecord(record, action);
  checkTextOrBytes({ target }, action);
  const opening = await openRestoreReader(snapshots);
  try {
    const { reader } = opening;
    return await restoreWith(reader, { snapshots, record, target, options });
  } finally {
    await opening[Symbol.asyncDispose]();
  }
}

async function restoreWith(
  reader: StoreReader,
  { snapshots, record, target, options }: {
    readonly snapshots: Snapshots<ReadStore>;
    readonly record: NamedRecord;
    readonly target: string | Uint8Array;
    readonly options: RestoreOptions;
  },
): Promise<RestoreResult> {
  const { signal, workers = 0, path = new Uint8Array(0) } = options;
  const calls = options.calls ?? diskCalls();
  const damaged: DiskError[] = [];
  const found = await findEntry(reader, record, {
    signal: options.signal,
    path,
    onError: (error) => damaged.push(error),
  });
  const { entry, targetPath } = placeEntry(found, toBytes(target), calls);
  const place = storePlace(snapshots.store);
  const opened = openChecked(targetPath, entry, { ...options, calls, place });
  try {
    const run = new RestoreRun({
      reader,
      target: opened,
      store: snapshots.store,
      config: configOf(reader, targetPath, options),
      calls,
      workers,
      owner: options.owner ?? calls.geteuid() === 0,
      owners: options.numericOwner === true ? new Owners() : localOwners(),
      isReduced: record.fidelity === "reduced",
      delete: options.delete ?? false,
      // One more name of what is restored may be in a directory that is not opened.
      known: record.totals.hardLinkCount > 0 ? undefined : options.known,
      entryCountMax: record.totals.entryCount,
      expectedByteCount: splitPath(path).length === 0
        ? record.totals.byteCount
        : 0,
      onChange: options.onChange,
      onProgress: options.onProgress,
      signal,
    });
    await run.run(entry.home, entry.row);
    const { fileCount, byteCount, writtenByteCount } = run.progress;
    return {
      ...run.counts,
      fileCount,
      byteCount,
      writtenByteCount,
      errors: [...damaged, ...run.errors],
      fidelity: calls.reduced === true ? "reduced" : "full",
    };
  } finally {
    opened?.[Symbol.dispose]();
  }
}

interface FoundEntry {
  readonly home: SnapshotDirectory;
  /** The row of an entry that is no directory. */
  readonly row: number | undefined;
}

/** Finds the directory and the name for one entry, as `cp` does. */
function placeEntry(
  entry: FoundEntry,
  targetPath: Uint8Array,
  calls: DiskCalls,
): { readonly entry: FoundEntry; readonly targetPath: Uint8Array } {
  const { home, row } = entry;
  const end = targetPath.lastIndexOf(SLASH);
  const name = targetPath.subarray(end + 1);
  if (
    row === undefined || name.length === 0 || isDirectory(targetPath, calls)
  ) return { entry, targetPath };
  return {
    entry: { home: renamedEntry(home, row, name), row: 0 },
    targetPath: end < 0 ? toBytes(".") : targetPath.subarray(0, end || 1),
  };
}

/** Whether there is a directory, or a link to one. */
function isDirectory(path: Uint8Array, calls: DiskCalls): boolean {
  try {
    openTarget(path, { calls })[Symbol.dispose]();
    return true;
  } catch (error) {
    const isOther = error instanceof DiskError &&
      ["ENOENT", "ENOTDIR"].includes(error.code);
    if (isOther) return false;
    throw error;
  }
}

/** Finds the directory that is restored, or the entry that is. */
async function findEntry(
  reader: StoreReader,
  record: NamedRecord,
  options: StoreOptions & {
    readonly path: Uint8Array;
    readonly onError: (error: DiskError) => void;
  },
): Promise<FoundEntry> {
  const open = (ids: { tree: Uint8Array; page: Uint8Array | undefined }) =>
    openOnTheWay(reader, ids, options);
  let home = await open({
    tree: idToBytes(record.tree),
    page: idToBytes(record.page),
  });
  const names = splitPath(options.path);
  for (const [i, name] of names.entries()) {
    const row = home.tree.find(name);
    if (row < 0) throw new EntryNotFoundError(options.path);
    if (home.tree.kind(row) !== EntryKind.directory) {
      if (i === names.length - 1) return { home, row };
      throw new EntryNotFoundError(options.path);
    }
    const child = home.tree.directoriesBefore(row);
    home = await open({
      tree: home.tree.idBytes(row),
      page: home.page?.pageIdBytes(child),
    });
  }
  return { home, row: undefined };
}

async function openOnTheWay(
  reader: StoreReader,
  ids: { readonly tree: Uint8Array; readonly page: Uint8Array | undefined },
  options: StoreOptions & {
    readonly path: Uint8Array;
    readonly onError: (error: DiskError) => void;
  },
): Promise<SnapshotDirectory> {
  let last: DiskError | undefined;
  const onError = (error: DiskError): void => void (last = error);
  const tolerance = tolerateDamage(options.path, { ...options, onError });
  const found = await readDirectory(reader, ids, tolerance);
  if (found === undefined) throw last;
  if (last !== undefined) options.onError(last);
  return found;
}

/** Options of opening the target. */
interface OpenOptions extends RestoreOptions {
  readonly calls: DiskCalls;
  /** Where the store lies: nothing of it is touched. */
  readonly place: StorePlace | undefined;
}

/** Opens the target, unless it holds what must not be touched. */
function openChecked(
  path: Uint8Array,
  entry: FoundEntry,
  options: OpenOptions,
): Target | undefined {
  const { home, row } = entry;
  const target = openOrMake(path, {
    ...options,
    // As cp: what is to hold one entry is there.
    create: row === undefined,
  });
  if (target === undefined) return undefined;
  try {
    const { calls, place } = options;
    if (place !== undefined && liesInStore(path, place, calls)) {
      throw new RangeError(
        `Cannot restore into ${
          displayPath(path)
        }: it lies in the store ${place.path}`,
      );
    }
    if (options.existing === true) return target;
    if (row === undefined) {
      const { count } = runAtOnce(target.list(target.root));
      if (count > 0) throw new TargetNotEmptyError(path, count);
      return target;
    }
    const name = home.tree.name(row);
    if (target.stat(target.root, name, new StatTable(1), 0)) {
      throw new TargetNotEmptyError(path, name);
    }
    return target;
  } catch (error) {
    target[Symbol.dispose]();
    throw error;
  }
}

function openOrMake(
  path: Uint8Array,
  { calls, place, dryRun, create }: OpenOptions & { create: boolean },
): Target | undefined {
  const how = { calls, excludeStore: place?.identity };
  try {
    return openTarget(path, how);
  } catch (error) {
    const isAbsent = error instanceof DiskError && error.code === "ENOENT";
    if (!isAbsent || !create) throw error;
    return dryRun === true
      ? undefined
      : openTarget(path, { ...how, create: true });
  }
}

function configOf(
  { index }: StoreReader,
  target: Uint8Array,
  options: RestoreOptions,
): Omit<RestorerConfig, "control" | "worker"> {
  const { dryRun = false, xattrs = true } = options;
  const { liveTables } = index.index;
  const indexTables = liveTables.map(({ name, size, head, bytes }) => ({
    name,
    size,
    head,
    bytes,
  }));
  return { target, indexTables, isDry: dryRun, xattrs };
}

function toBytes(path: string | Uint8Array): Uint8Array {
  return typeof path === "string" ? new TextEncoder().encode(path) : path;
}
