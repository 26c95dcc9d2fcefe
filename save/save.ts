import {
  identifyPath,
  isSame,
  openSource,
  storePlace,
} from "@snap/disk/source";
import { checkTextOrBytes, type Id, idFromBytes } from "@snap/hash";
import { pathToText } from "@snap/manifest/path";
import type { StoreOptions, WriteStore } from "@snap/store";
import { PATH_SAMPLE_MAX, timeText } from "@snap/store/format";
import {
  confirmRecords,
  type NamedRecord,
  type PathSample,
  recordStands,
  type SnapshotRecord,
  writeRecord,
  type WrittenRecord,
} from "@snap/snapshot/records";
import { FoundOnce } from "./found_once.ts";
import type { SeenSave } from "./change_finder.ts";
import type { SaveOptions } from "./options.ts";
import { newSaveProgress, type SaveProgress } from "./progress.ts";
import type { SourceReport } from "./source_report.ts";
import { findStanding } from "./standing_save.ts";
import { storeState } from "./store_state.ts";
import {
  retryWithoutDamage,
  type SavedTree,
  SaveTransaction,
  UnknownTotalsError,
} from "./transaction.ts";
import { checkSnapshots, type Snapshots } from "@snap/snapshot";
import { randomBytes } from "@snap/pack/write";

/**
 * Bytes read again only because files are so young: more than this, and a record is
 * written that says the same with a later time, so that it is not read for ever.
 */
const YOUNG_BYTES_MAX = 4 * 1024 * 1024;

/** Result of {@linkcode save}. */
export interface SaveResult extends SourceReport {
  /** The id of the snapshot: of its root tree. */
  readonly id: Id;
  /** The record: a new one, or the one that says the same. Absent after a dry run. */
  readonly record?: NamedRecord;
  /** Whether the record is new. */
  readonly isNewRecord: boolean;
  /** The save id of this run: with it a tag says that the record came after those before it. */
  readonly saveId: Uint8Array;
  /** Whether the same tree was saved before, with other attributes. */
  readonly hasNewAttributesOnly: boolean;
  /** Entries that were left out on purpose. */
  readonly socketCount: number;
  /** How much had to be read and stored. */
  readonly progress: SaveProgress;
  /** Bytes of packs that were added to the store: content, trees and attributes. */
  readonly storedByteCount: number;
  /**
   * Bytes of index tables that were added. They may tell of older packs, too:
   * where small tables were merged, or a damaged one was written again.
   */
  readonly indexByteCount: number;
  /** Whether names, times and attributes could be read in full. */
  readonly fidelity: "full" | "reduced";
}

/** Result of {@linkcode save} that was no dry run. */
export interface RecordedSave extends SaveResult {
  /** The record: a new one, or the one that says the same. */
  readonly record: NamedRecord;
}

/**
 * Saves a directory as a snapshot. The record is written last: a snapshot that
 * can be named is complete.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { save } from "@snap/save";
 * import { openSnapshots } from "@snap/snapshot";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/snap-save-");
 * writeFileSync(`${folder}/a.txt`, "Hello");
 * const store = new MemoryStore();
 * await initStore(store);
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { id, record } = await save(snapshots, folder, { message: "first" });
 * strictEqual(record.message, "first");
 * strictEqual((await save(snapshots, folder, { dryRun: true })).id, id);
 * await snapshots.close();
 * rmSync(folder, { recursive: true });
 * ```
 *
 * @param snapshots The store to save into.
 * @param path The directory.
 * @param options Workers, what is left out, what the record says.
 * @returns The snapshot.
 * @throws {TypeError} If `snapshots` is not what `openSnapshots` gives, or the path neither text nor bytes.
 * @throws {DiskError} If the directory itself cannot be read.
 * @throws {StoreError} If the store fails; nothing half-written stays behind.
 * @throws {OverlayError} With `overlay`, if the snapshot below cannot be relied on, or the upper
 *   directory is not a whole one.
 */
export async function save(
  snapshots: Snapshots<WriteStore>,
  path: string | Uint8Array,
  options?: SaveOptions & { dryRun?: false },
): Promise<RecordedSave>;
/**
 * Saves a directory as a snapshot, or counts what would be new: see above.
 *
 * @param snapshots The store to save into.
 * @param path The directory.
 * @param options Workers, what is left out, what the record says.
 * @returns The snapshot.
 */
export async function save(
  snapshots: Snapshots<WriteStore>,
  path: string | Uint8Array,
  options?: SaveOptions,
): Promise<SaveResult>;
export async function save(
  snapshots: Snapshots<WriteStore>,
  path: string | Uint8Array,
  options: SaveOptions = {},
): Promise<SaveResult> {
  checkSnapshots(snapshots, "save");
  checkTextOrBytes({ path }, "save");
  const run = (some: SaveOptions): Promise<SaveResult> =>
    retryWithoutDamage(
      snapshots,
      some,
      (damaged, repairedByteCount) =>
        saveOnce(snapshots, path, some, { damaged, repairedByteCount }),
    );
  try {
    return await run(options);
  } catch (error) {
    if (!(error instanceof UnknownTotalsError)) throw error;
    return await run({ ...options, changes: undefined });
  }
}

async function saveOnce(
  snapshots: Snapshots<WriteStore>,
  path: string | Uint8Array,
  options: SaveOptions,
  { damaged, repairedByteCount }: {
    readonly damaged: ReadonlySet<string>;
    readonly repairedByteCount: number;
  },
): Promise<SaveResult> {
  const now = options.now ?? Date.now;
  const random = options.random ?? randomBytes;
  const startMs = now();
  const open = () => openStoreSource(snapshots.store, path, options);
  const source = open();
  const changes = new FoundOnce(options, { startMs, openSource: open });
  try {
    const sourceText = options.overlay?.mountpoint ?? pathToText(source.path);
    const saveId = random(16);
    const standing = damaged.size > 0
      ? undefined
      : await findStanding(snapshots, options, { sourceText, now, changes });
    if (standing !== undefined) {
      return resultOf(standing, { saveId, fidelity: source.fidelity, options });
    }
    const transaction = new SaveTransaction(snapshots, {
      ...options,
      source,
      saveId,
      random,
      now,
      sourceText,
      host: options.host ?? "",
      damaged,
      find: (previous) => changes.find(previous),
    });
    return await transaction.run(async (saved, confirm) => {
      const record = recordOf(saved, options, {
        sourceText,
        fidelity: source.fidelity,
        timeMs: now(),
        startMs,
      });
      const ended: Partial<WrittenRecord> & Pick<WrittenRecord, "isNewRecord"> =
        options.dryRun === true
          ? { isNewRecord: false }
          : await publish(snapshots, record, {
            ...{ saveId, random, confirm, signal: options.signal },
            newest: canStand(saved) ? saved.sameSource[0] : undefined,
          });
      if (ended.record !== undefined) {
        await changes.keep(seenSave(snapshots, saved, ended.record));
      }
      return {
        ...countsOf(saved),
        id: record.tree,
        ...ended,
        saveId,
        hasNewAttributesOnly: ended.isNewRecord &&
          hasNewAttributesOnly(record, saved.sameSource),
        socketCount: source.drops.sockets,
        indexByteCount: saved.indexByteCount + repairedByteCount,
        fidelity: source.fidelity,
      };
    });
  } finally {
    source[Symbol.dispose]();
    await changes[Symbol.asyncDispose]();
  }
}

/** What the next save may be told of this one. */
function seenSave(
  { store, hasher }: Snapshots<WriteStore>,
  saved: SavedTree,
  record: NamedRecord,
): SeenSave {
  return {
    ...{ ...saved, record },
    storeState: async () =>
      saved.isComplete ? await storeState(store, hasher) : undefined,
  };
}

/** Whether the same tree was saved before, with no such page. */
function hasNewAttributesOnly(
  { tree, page }: SnapshotRecord,
  sameSource: readonly NamedRecord[],
): boolean {
  return sameSource.some((one) => one.tree === tree) &&
    sameSource.every((one) => one.page !== page);
}

/** The result of a save that found nothing changed. */
function resultOf(
  record: NamedRecord,
  { saveId, fidelity, options }: {
    readonly saveId: Uint8Array;
    readonly fidelity: SaveResult["fidelity"];
    readonly options: SaveOptions;
  },
): SaveResult {
  const { totals } = record;
  const { fileCount, byteCount } = totals;
  const progress = {
    ...{ ...newSaveProgress(), fileCount, byteCount, isWalked: true },
    ...{ foundFileCount: fileCount, foundByteCount: byteCount },
  };
  options.onProgress?.(progress);
  return {
    ...{ id: record.tree, record, isNewRecord: false, saveId, totals },
    ...{ errors: [], errorCount: 0, changed: [], changedCount: 0, unreal: [] },
    ...{ progress, fidelity, socketCount: 0, hasNewAttributesOnly: false },
    ...{ storedByteCount: 0, indexByteCount: 0 },
  };
}

/** What a save tells of its walk. */
function countsOf(
  saved: SavedTree,
): SourceReport & Pick<SaveResult, "progress" | "storedByteCount"> {
  const { totals, errors, errorCount, changed, changedCount } = saved;
  const { unreal, progress, storedByteCount } = saved;
  return {
    ...{ totals, errors, errorCount, changed, changedCount },
    ...{ unreal, progress, storedByteCount },
  };
}

/** Whether the newest record of the source may stand for this save. */
function canStand({ youngByteCount, isRoundOpen }: SavedTree): boolean {
  return youngByteCount <= YOUNG_BYTES_MAX && !isRoundOpen;
}

/** How {@linkcode publish} writes. */
interface PublishOptions extends StoreOptions {
  readonly saveId: Uint8Array;
  readonly random: (size: number) => Uint8Array;
  /** Sees that no packs were removed without this run. */
  readonly confirm: () => Promise<void>;
  /** Only the newest of the source: after A, B and A again, A is the latest. */
  readonly newest: NamedRecord | undefined;
}

/** Writes a record, or finds one that says the same and stands at the end. */
async function publish(
  snapshots: Snapshots<WriteStore>,
  record: SnapshotRecord,
  options: PublishOptions,
): Promise<WrittenRecord> {
  const { store } = snapshots;
  const { random, confirm, signal } = options;
  const how = { ...options, salt: random(32) };
  const written = await writeRecord(snapshots, record, how);
  if (!written.isNewRecord) {
    const standing = recordStands(store, written.record, { signal });
    const confirming = confirm();
    await Promise.allSettled([standing, confirming]); // Whoever started work waits for its end.
    await confirming;
    if (await standing) return written;
    // It was forgotten meanwhile; what it relied on is there as long as the lease is.
    return await publish(snapshots, record, { ...options, newest: undefined });
  }
  await confirmRecords(store, [written.record], confirm);
  return written;
}

/** Opens the source; the store is left out if it lies below. */
function openStoreSource(
  store: WriteStore,
  path: string | Uint8Array,
  options: SaveOptions,
): ReturnType<typeof openSource> {
  const place = storePlace(store);
  if (place !== undefined && isSame(place.identity, identifyPath(path))) {
    throw new RangeError(
      `Cannot save ${place.path}: it is the store itself`,
    );
  }
  const { changes, ignore, oneFileSystem } = options;
  const excludeStore = place?.identity;
  const rules = { ignore, oneFileSystem, excludeStore };
  return openSource(path, { ...changes?.source, ...rules });
}

/** Makes the record of what was saved. */
function recordOf(
  saved: SavedTree,
  { host = "", user = "", message, program = "" }: SaveOptions,
  { sourceText, fidelity, timeMs, startMs }: {
    readonly sourceText: string;
    readonly fidelity: SnapshotRecord["fidelity"];
    readonly timeMs: number;
    readonly startMs: number;
  },
): SnapshotRecord {
  return {
    tree: idFromBytes(saved.ids, 0),
    page: idFromBytes(saved.ids, 32),
    time: timeText(timeMs),
    startTime: timeText(startMs),
    host,
    user,
    source: sourceText,
    ...(message === undefined ? {} : { message }),
    totals: saved.totals,
    unreadable: sampleOf(
      saved.errors.map((error) => error.path),
      saved.errorCount,
    ),
    changed: sampleOf(saved.changed, saved.changedCount),
    fidelity,
    program,
  };
}

function sampleOf(paths: readonly Uint8Array[], count: number): PathSample {
  return {
    count,
    first: paths.slice(0, PATH_SAMPLE_MAX).map(pathToText),
  };
}
