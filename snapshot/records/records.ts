import type { Hasher, Id } from "@snap/hash";
import { isDocumentFault } from "@snap/pack";
import { NotFoundError, type ReadStore, type StoreOptions } from "@snap/store";
import { readDocument } from "@snap/store/format";
import { listVoidSaves } from "@snap/store/removal";
import {
  decodeRecord,
  formatRecordName,
  type NamedRecord,
  parseRecordName,
  type RecordFile,
  type RecordName,
  RECORDS_PREFIX,
} from "./record.ts";

/** Records that are read at once: of a store far away more, as each waits for an answer. */
const READS_MAX = 16, FAR_READS_MAX = 128;

/** Options for {@linkcode listRecords}. */
export interface ListRecordsOptions extends StoreOptions {
  /** Checks that each record has the id in its name. */
  hasher: Hasher;
  /** Only records of trees whose id begins with this. */
  treePrefix?: string;
  /** Only records whose own id, or that of their tree, begins with this. */
  idPrefix?: string;
  /**
   * Told of a file of a record that cannot be read; the record is passed over if it has no
   * other. Without it the error is thrown, unless there is another.
   */
  onDamage?: (file: RecordFile, error: unknown) => void;
  /** Save ids whose files do not count, where somebody lists them anyway. */
  voidSaves?: Promise<ReadonlySet<string>>;
  /** Records by the names of their files, as they were read before: these are not read again. */
  known?: Map<string, NamedRecord>;
}

/** The files of records under a prefix, before it is known which are void. */
interface RecordList {
  /** Files of each record. */
  readonly groups: readonly (readonly RecordFile[])[];
  /** Save ids whose files do not count. */
  readonly voids: Promise<ReadonlySet<string>>;
}

/**
 * Lists files of records, then the marks of saves whose files do not count: whoever
 * uses a file awaits these first. Reading goes on meanwhile, so that they cost no
 * round trip.
 */
async function list(
  store: ReadStore,
  prefix: string,
  isWanted: (name: RecordName) => boolean,
  options: Pick<ListRecordsOptions, "signal" | "voidSaves">,
): Promise<RecordList> {
  const groups = new Map<string, RecordFile[]>();
  for await (const batch of store.list(RECORDS_PREFIX + prefix, options)) {
    for (const { name } of batch) {
      const file = parseRecordName(name);
      if (file === undefined || !isWanted(file)) continue;
      const key = file.tree + file.record;
      const known = groups.get(key);
      if (known === undefined) groups.set(key, [file]);
      else known.push(file);
    }
  }
  const voids = groups.size === 0
    ? Promise.resolve(new Set<string>())
    : options.voidSaves ?? listVoidSaves(store, options);
  voids.catch(() => {}); // Whoever awaits it is told.
  return { groups: [...groups.values()], voids };
}

/** Options of {@linkcode listRecordNames}. */
export interface ListRecordNamesOptions
  extends Pick<ListRecordsOptions, "signal" | "voidSaves"> {
  /** What the ids of tree and record, with a dash between them, begin with. */
  readonly prefix?: string;
}

/**
 * Lists the records of a store, without reading them.
 *
 * @param store The store.
 * @param options Which records, what ends the wait.
 * @returns One file of each record.
 * @throws {StoreError} If the store fails.
 */
export async function listRecordNames(
  store: ReadStore,
  options: ListRecordNamesOptions = {},
): Promise<RecordFile[]> {
  const { prefix = "" } = options;
  const { groups, voids } = await list(store, prefix, () => true, options);
  const marks = await voids;
  return groups.map((files) => files.find((one) => !marks.has(one.writer)))
    .filter((file) => file !== undefined);
}

/**
 * Lists the saves whose record is in a store and counts, without reading any:
 * all that they have written is complete.
 *
 * @param store The store.
 * @param options What ends the wait.
 * @returns Their save ids.
 * @throws {StoreError} If the store fails.
 */
export async function finishedSaves(
  store: ReadStore,
  options: StoreOptions = {},
): Promise<Set<string>> {
  const { groups, voids } = await list(store, "", () => true, options);
  const saves = new Set(groups.flat().map(({ writer }) => writer));
  for (const saveId of await voids) saves.delete(saveId);
  return saves;
}

/**
 * Reads the records of a store.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { saveEntries } from "@snap/save/entries";
 * import { openSnapshots } from "@snap/snapshot";
 * import { listRecords } from "@snap/snapshot/records";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store);
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * await saveEntries(snapshots, [
 *   { path: "src/mod.ts", content: "export {};" },
 * ], { source: "build" });
 * const [newest] = await listRecords(store, { hasher: wasmHasher });
 * strictEqual(newest.source, "build");
 * await snapshots.close();
 * ```
 *
 * @param options The hasher, and which records.
 * @returns The records, newest first.
 */
export async function listRecords(
  store: ReadStore,
  options: ListRecordsOptions,
): Promise<NamedRecord[]> {
  const { idPrefix = "", treePrefix = "" } = options;
  const isWanted = ({ tree, record }: RecordName): boolean =>
    tree.startsWith(idPrefix) || record.startsWith(idPrefix);
  const listed = await list(store, treePrefix, isWanted, options);
  const records: NamedRecord[] = [];
  const next = listed.groups.values();
  let failure: { readonly error: unknown } | undefined;
  const reader = async (): Promise<void> => {
    for (const files of next) {
      // Whoever reads still is waited for.
      if (failure !== undefined) return;
      try {
        const record = await readAny(store, files, listed.voids, options);
        if (record !== undefined) records.push(record);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  const isFar = store.localPath === undefined;
  const readsMax = isFar ? FAR_READS_MAX : READS_MAX;
  await Promise.all(Array.from({ length: readsMax }, reader));
  await listed.voids;
  if (failure !== undefined) throw failure.error;
  return records.sort(newestFirst);
}

/** Reads a record from the first of its files that is sound and counts; undefined if none is there. */
async function readAny(
  store: ReadStore,
  files: readonly RecordFile[],
  voids: Promise<ReadonlySet<string>>,
  options: Omit<ListRecordsOptions, "treePrefix" | "idPrefix">,
): Promise<NamedRecord | undefined> {
  let failure: { readonly error: unknown } | undefined;
  for (const file of files) {
    try {
      const record = await readOnce(store, file, options);
      if (!(await voids).has(file.writer)) return record;
    } catch (error) {
      // A file that is gone was removed meanwhile.
      if (error instanceof NotFoundError) continue;
      if ((await voids).has(file.writer)) continue;
      if (!isDocumentFault(error)) throw error;
      if (options.onDamage === undefined) failure ??= { error };
      else options.onDamage(file, error);
    }
  }
  if (failure !== undefined) throw failure.error;
  return undefined;
}

/** Reads one file of a record, unless it was read before. */
async function readOnce(
  store: ReadStore,
  file: RecordFile,
  options: Pick<ListRecordsOptions, "hasher" | "known" | "signal">,
): Promise<NamedRecord> {
  const { known } = options;
  const name = formatRecordName(file);
  const found = known?.get(name);
  if (found !== undefined) return found;
  const record = await readRecord(store, file, options);
  known?.set(name, record);
  return record;
}

/**
 * Finds a record by its ids, from whichever of its files is sound.
 *
 * @param name The ids of tree and record; with a save id, that file is tried first and nothing listed.
 * @throws {NotFoundError} If the store has no such record.
 * @throws {SyntaxError} If the record is damaged.
 */
export async function findRecord(
  store: ReadStore,
  name: RecordName & Partial<RecordFile>,
  options: { hasher: Hasher } & StoreOptions,
): Promise<NamedRecord> {
  const { writer } = name;
  if (writer !== undefined) {
    try {
      return await readRecord(store, { ...name, writer }, options);
    } catch (error) {
      if (!(error instanceof NotFoundError) && !isDocumentFault(error)) {
        throw error;
      }
    }
  }
  const prefix = `${name.tree}-${name.record}-`;
  const { groups, voids } = await list(store, prefix, () => true, options);
  const { hasher, signal } = options;
  const how = { hasher, signal };
  const found = await readAny(store, groups[0] ?? [], voids, how);
  await voids;
  if (found === undefined) {
    throw new NotFoundError(RECORDS_PREFIX + prefix.slice(0, -1));
  }
  return found;
}

/**
 * Reads one file of a record, and checks it against its name.
 *
 * @throws {NotFoundError} If the store has no such file.
 * @throws {SyntaxError} If the record is damaged.
 */
export async function readRecord(
  store: ReadStore,
  file: RecordFile,
  options: { hasher: Hasher } & StoreOptions,
): Promise<NamedRecord> {
  const name = formatRecordName(file);
  const { hasher } = options;
  let bytes = await readDocument(store, name, options);
  if (hasher.idOf(bytes) !== file.record) {
    // What is damaged may be a copy.
    bytes = await readDocument(store, name, { ...options, isFresh: true });
  }
  const actual: Id = hasher.idOf(bytes);
  if (actual !== file.record) {
    throw new SyntaxError(
      `Cannot read record ${file.record}: its bytes are damaged and have id ${actual}`,
    );
  }
  return decodeRecord(file, bytes);
}

function newestFirst(a: NamedRecord, b: NamedRecord): number {
  if (a.time !== b.time) return a.time < b.time ? 1 : -1;
  return a.record < b.record ? 1 : -1;
}
