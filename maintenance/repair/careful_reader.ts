import { type Hasher, hexOf } from "@snap/hash";
import {
  IndexSyntaxError,
  isCopyDamage,
  isFileDamage,
  isObjectFault,
  type PackRole,
} from "@snap/pack";
import { listPacks, type PackSet } from "@snap/pack/index";
import {
  type ClaimedPack,
  readIndexedTable,
  readPack,
} from "@snap/pack/index-writer";
import { openStoreReader, type StoreReader } from "@snap/pack/read";
import type { PackTable } from "@snap/pack/write";
import { nativeDecoders } from "@snap/posix/decoders";
import type { PackFile } from "@snap/snapshot/verify";
import type { ReadStore, StoreOptions } from "@snap/store";
import { listBadPacks, readRound } from "@snap/store/removal";

/** Options of {@linkcode openCarefulReader}. */
export interface CarefulReaderOptions extends StoreOptions {
  /** What hashes. */
  readonly hasher: Hasher;
  /** Names of packs that are damaged, beside those that are marked. */
  readonly damaged?: ReadonlySet<string>;
}

/** A reader of a store in which something may be damaged. */
export interface CarefulReader extends AsyncDisposable {
  /** Reads objects; its index says which packs are bad: damaged, or about to go. */
  readonly reader: StoreReader;
  /** The packs that are there. */
  readonly present: PackSet;
}

/**
 * Opens a reader that takes no object for sound as the index names it: packs are
 * there, and copies in packs that are damaged or about to go come last.
 *
 * @param store The store.
 * @param options What hashes, what is known to be damaged.
 * @returns The reader, to be closed.
 */
export async function openCarefulReader(
  store: ReadStore,
  options: CarefulReaderOptions,
): Promise<CarefulReader> {
  const { hasher, damaged = new Set(), signal } = options;
  const reader = await openStoreReader(store, {
    ...{ hasher, signal },
    decoders: nativeDecoders,
  });
  try {
    const { index } = reader;
    // In this order: a pack that a table names was there before the table.
    const present = await listPacks(store, { signal });
    index.index.setPresentPacks(present);
    await index.findUnnamed({ signal });
    const marked = await listBadPacks(store, { signal });
    const { condemned } = await readRound(store, { signal });
    for (const { id, name } of present.packs()) {
      const hex = hexOf(id);
      if (damaged.has(name) || marked.has(hex) || condemned.has(hex)) {
        index.index.markBad(id);
      }
    }
    return {
      reader,
      present,
      [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
    };
  } catch (error) {
    await reader[Symbol.asyncDispose]();
    throw error;
  }
}

/** What lies where in a pack. */
export interface PackPlaces {
  /** Its name in the store. */
  readonly name: string;
  /** Whether it holds data or trees. */
  readonly role: PackRole;
  /** Where its objects lie. */
  readonly table: PackTable;
}

/**
 * Finds out what lies where in a pack: by its own table, or by the index where that is lost.
 *
 * @param store The store.
 * @param file The pack.
 * @param reader A reader of the store.
 * @param options What ends the wait.
 * @returns What is known; undefined if nothing is.
 */
export async function readPlaces(
  store: ReadStore,
  file: PackFile,
  reader: StoreReader,
  options: StoreOptions,
): Promise<PackPlaces | undefined> {
  const { name } = file;
  try {
    const how = { hasher: reader.hasher, signal: options.signal };
    const { role, table } = await readPack(store, file, how);
    return { name, role: role as PackRole, table };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!isFileDamage(error)) throw error;
  }
  for await (const batch of reader.index.packs(options)) {
    for (const { packId: id, packSize: size, packName, role } of batch) {
      if (packName !== name) continue;
      const table = await tableOf({ id, size }, reader, options);
      if (table) return { name, role: role as PackRole, table };
    }
  }
  return undefined;
}

/** Reads what the index says of a pack, but for tables that are damaged themselves. */
async function tableOf(
  pack: ClaimedPack,
  { index, ranges }: StoreReader,
  options: StoreOptions,
): Promise<PackTable | undefined> {
  const { liveTables } = index.index;
  let tables = index.storedTables.filter((one) => liveTables.includes(one));
  for (;;) {
    try {
      return await readIndexedTable(tables, pack, ranges, options);
    } catch (error) {
      if (!(error instanceof IndexSyntaxError)) throw error;
      const sound = tables.filter(({ name }) => name !== error.tableName);
      if (sound.length === tables.length) throw error;
      tables = sound;
    }
  }
}

/**
 * Tells an object that is lost from a store that fails.
 *
 * @param error What was thrown while the object was read.
 * @returns Whether other objects can be read.
 */
export function isLoss(error: unknown): boolean {
  return isObjectFault(error) || isCopyDamage(error) || isFileDamage(error);
}
