import type { Hasher, Id } from "@snap/hash";
import {
  NotFoundError,
  type ReadStore,
  StoreError,
  type StoreOptions,
  UnsupportedVersionError,
} from "@snap/store";
import { readDocument } from "@snap/store/format";
import {
  decodeRecord,
  formatRecordName,
  type NamedRecord,
  parseRecordName,
  type RecordName,
  RECORDS_PREFIX,
} from "./record.ts";

/** How many records are read at once. */
const CONCURRENCY = 16;

/** Options for {@linkcode listRecords}. */
export interface ListRecordsOptions extends StoreOptions {
  /** Checks that each record has the id in its name. */
  hasher: Hasher;
  /** Only records of trees whose id begins with this. */
  treePrefix?: string;
  /** Only records whose own id, or that of their tree, begins with this. */
  idPrefix?: string;
  /** Told of a record that cannot be read; without it the error is thrown. */
  onDamage?: (name: RecordName, error: unknown) => void;
}

/**
 * Reads the records of a store.
 *
 * @param store The store.
 * @param options The hasher, and which records.
 * @returns The records, newest first.
 */
export async function listRecords(
  store: ReadStore,
  options: ListRecordsOptions,
): Promise<NamedRecord[]> {
  const names: RecordName[] = [];
  const prefix = RECORDS_PREFIX + (options.treePrefix ?? "");
  for await (const batch of store.list(prefix, options)) {
    for (const entry of batch) {
      const name = parseRecordName(entry.name);
      if (name !== undefined && isWanted(name, options)) names.push(name);
    }
  }
  const records: NamedRecord[] = [];
  const next = names.values();
  let failure: { readonly error: unknown } | undefined;
  const reader = async (): Promise<void> => {
    for (const name of next) {
      // Whoever reads still is waited for.
      if (failure !== undefined) return;
      try {
        records.push(await readRecord(store, name, options));
      } catch (error) {
        if (error instanceof NotFoundError) continue; // Removed meanwhile.
        if (options.onDamage !== undefined && isDamage(error)) {
          options.onDamage(name, error);
        } else failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, reader));
  if (failure !== undefined) throw failure.error;
  return records.sort(newestFirst);
}

function isWanted(
  { tree, record }: RecordName,
  { idPrefix = "" }: ListRecordsOptions,
): boolean {
  return tree.startsWith(idPrefix) || record.startsWith(idPrefix);
}

/**
 * Reads one record, and checks it against its name.
 *
 * @param store The store.
 * @param name The ids of tree and record.
 * @param options The hasher.
 * @returns The record.
 * @throws {NotFoundError} If the store has no such record.
 * @throws {SyntaxError} If the record is damaged.
 */
export async function readRecord(
  store: ReadStore,
  name: RecordName,
  options: { hasher: Hasher } & StoreOptions,
): Promise<NamedRecord> {
  const bytes = await readDocument(store, formatRecordName(name), options);
  const actual: Id = options.hasher.idOf(bytes);
  if (actual !== name.record) {
    throw new SyntaxError(
      `Cannot read record ${name.record} as its bytes are damaged: they have id ${actual}`,
    );
  }
  return decodeRecord(name, bytes);
}

/** Whether one record cannot be read; a signal ends the reading of all. */
function isDamage(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof StoreError ||
    error instanceof UnsupportedVersionError;
}

function newestFirst(a: NamedRecord, b: NamedRecord): number {
  if (a.time !== b.time) return a.time < b.time ? 1 : -1;
  return a.record < b.record ? 1 : -1;
}
