import { type Hasher, hexOf } from "@snap/hash";
import { OvertakenError } from "@snap/pack";
import {
  type PruneStore,
  type ReadStore,
  StoreError,
  type StoreOptions,
  type WriteStore,
} from "@snap/store";
import { listVoidSaves } from "@snap/store/removal";
import {
  encodeRecord,
  formatRecordName,
  type NamedRecord,
  type RecordFile,
  type RecordName,
  RECORDS_PREFIX,
  type SnapshotRecord,
} from "./record.ts";

/** Options of {@linkcode writeRecord}. */
export interface WriteRecordOptions extends StoreOptions {
  /** The save id: 16 bytes. */
  readonly saveId: Uint8Array;
  /** 32 random bytes. */
  readonly salt: Uint8Array;
  /** The newest record of the same source, which may say the same. */
  readonly newest?: NamedRecord;
}

/** Result of {@linkcode writeRecord}. */
export interface WrittenRecord {
  /** The record: a new one, or the one that says the same. */
  readonly record: NamedRecord;
  /** Whether the record is new. */
  readonly isNewRecord: boolean;
}

/**
 * Writes a record, unless the newest of its source says the same. All that it
 * names must be durable.
 *
 * @param place The store, and what hashes.
 * @param record The record.
 * @param options The save id, the salt, the newest record.
 * @returns The record that is in the store.
 * @throws {StoreError} If the store fails.
 */
export async function writeRecord(
  { store, hasher }: { readonly store: WriteStore; readonly hasher: Hasher },
  record: SnapshotRecord,
  options: WriteRecordOptions,
): Promise<WrittenRecord> {
  const { newest, saveId, salt, signal } = options;
  if (newest !== undefined && saysTheSame(newest, record)) {
    // A process that was killed may have written it before its name was durable.
    await store.sync([RECORDS_PREFIX], { signal });
    return { record: newest, isNewRecord: false };
  }
  const bytes = encodeRecord(record, { saveId, salt });
  const writer = hexOf(saveId);
  const file = { tree: record.tree, record: hasher.idOf(bytes), writer };
  await store.create(formatRecordName(file), bytes, { signal });
  return { record: { ...record, ...file, saveId: writer }, isNewRecord: true };
}

/**
 * Tells whether the file of a record is there still.
 *
 * @param store The store.
 * @param file The file.
 * @param options What ends the wait.
 * @returns Whether nobody has removed it.
 * @throws {StoreError} If the store fails.
 */
export async function recordStands(
  store: ReadStore,
  file: RecordFile,
  options: StoreOptions = {},
): Promise<boolean> {
  return await store.size(formatRecordName(file), options) !== undefined;
}

/**
 * Removes a record that its own run has written, and that does not count as a round
 * has gone on without the run, where the store lets it. One that counts stays: all
 * that it needs is there, and another save may have found it and said so.
 *
 * @param store The store.
 * @param file The file of the record.
 */
export async function withdrawRecord(
  store: WriteStore & Partial<Pick<PruneStore, "remove">>,
  file: RecordFile,
): Promise<void> {
  try {
    // What is decided later to be void those remove who decide it.
    if (!(await listVoidSaves(store)).has(file.writer)) return;
    await store.remove?.(formatRecordName(file));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}

/**
 * Sees that the records of a run count. If packs were removed without the run, they
 * do not, and go again.
 *
 * @param store The store.
 * @param files The records that the run has written.
 * @param confirm Sees that no packs were removed without the run.
 * @throws {OvertakenError} If some were.
 * @throws {StoreError} If the store fails.
 */
export async function confirmRecords(
  store: WriteStore,
  files: readonly RecordFile[],
  confirm: () => Promise<void>,
): Promise<void> {
  try {
    await confirm();
  } catch (error) {
    if (error instanceof OvertakenError) {
      for (const file of files) await withdrawRecord(store, file);
    }
    throw error;
  }
}

/**
 * Writes a record of another store as it is. All that it names must be durable.
 *
 * @param store The store.
 * @param name The ids of the record.
 * @param bytes Its document.
 * @param options The save id under which it stands here, which no other record has.
 * @throws {StoreError} If the store fails.
 */
export async function copyRecord(
  store: WriteStore,
  { tree, record }: RecordName,
  bytes: Uint8Array,
  { saveId, signal }: StoreOptions & { readonly saveId: Uint8Array },
): Promise<void> {
  const name = formatRecordName({ tree, record, writer: hexOf(saveId) });
  await store.create(name, bytes, { signal });
}

/** Whether two records differ in nothing but the time. */
function saysTheSame(a: SnapshotRecord, b: SnapshotRecord): boolean {
  const { tree, page, host, user, source, message, unreadable, changed } = b;
  return a.tree === tree && a.page === page && a.host === host &&
    a.user === user && a.source === source && a.message === message &&
    JSON.stringify([a.unreadable, a.changed]) ===
      JSON.stringify([unreadable, changed]);
}
