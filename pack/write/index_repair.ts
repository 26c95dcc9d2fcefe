import { IndexSyntaxError } from "../errors.ts";
import { packName } from "../file_name.ts";
import { ObjectIndex, replacedTables } from "../index/object_index.ts";
import { readIndexFile } from "../index/open_index.ts";
import { StoreIndex } from "../index/store_index.ts";
import { isFileDamage } from "../faults.ts";
import type { IndexPack } from "../index_writer/index_run.ts";
import { type DamagedPack, readPack } from "../index_writer/rebuild_index.ts";
import type { IndexedPack } from "../location.ts";
import { PackRole } from "../object_kind.ts";
import {
  HEADER_SIZE,
  NotFoundError,
  saveIdOf as readSaveId,
  type StoreEntry,
  type StoreOptions,
  type WriteStore,
} from "@snap/store";
import { type Hasher, hexOf } from "@snap/hash";
import { writeIndexTables } from "./index_tables.ts";
import { removeSpooled } from "./local_index_files.ts";
import { randomBytes } from "./pack_files.ts";

/** Packs whose tables are read at once. */
const READS_AT_ONCE = 8;
/** Objects in one table that is written: their packs' tables are in memory. */
const OBJECT_COUNT_MAX = 2 ** 19;

/** A store whose index is written again, and what hashes. */
export interface IndexedStore {
  /** The store. */
  readonly store: WriteStore;
  /** The hasher. */
  readonly hasher: Hasher;
}

/** How an index is written again. */
export interface RepairOptions extends StoreOptions {
  /** Gives random bytes. */
  readonly random?: (size: number) => Uint8Array;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Writes an index table again from its packs, as a page of it is damaged.
 *
 * @param name The table.
 * @param place The store.
 * @param options The options of a save.
 * @returns The bytes that were written: none unless all its packs could be read.
 */
export async function repairTable(
  name: string,
  place: IndexedStore,
  options: RepairOptions,
): Promise<number> {
  const contents = await contentsOf(name, place, options);
  if (contents === undefined || contents.packs.length === 0) return 0;
  const packs = contents.packs.map(({ packName, packSize }) => ({
    name: packName,
    size: packSize,
  }));
  // All of them are read before the first table is written.
  for await (const { damaged } of tablesOf(packs, place, options)) {
    if (damaged.length > 0) return 0;
  }
  return await writeTables(tablesOf(packs, place, options), place, {
    ...options,
    replaced: [name, ...contents.replaced],
  });
}

/** What {@linkcode indexUnnamed} has done. */
export interface IndexedUnnamed {
  /** Packs that a table tells of now. */
  readonly packCount: number;
  /** Bytes of the tables that were written. */
  readonly byteCount: number;
  /** Packs that a save has written which has no record, and so may be only a part of something. */
  readonly unfinishedCount: number;
  /** Packs that are damaged. */
  readonly damaged: readonly DamagedPack[];
  /** Whether one of the packs is of a save that has a record, so that there was an index of it. */
  readonly isIndexLost: boolean;
}

/**
 * Writes an index of packs that no table names. Packs with trees and recipes are
 * told of if their save has a record: a recipe is believed to be complete, and that
 * of a save which was killed need not be.
 *
 * @param place The store.
 * @param options The packs, and what {@linkcode finishedSaves} gave before they were looked for.
 * @returns What was written.
 */
export async function indexUnnamed(
  place: IndexedStore,
  options: RepairOptions & {
    readonly packs: readonly StoreEntry[];
    readonly finished: ReadonlySet<string>;
  },
): Promise<IndexedUnnamed> {
  const { packs, finished } = options;
  const damaged: DamagedPack[] = [];
  let packCount = 0, unfinishedCount = 0, isIndexLost = false;
  const chosen = async function* (): AsyncGenerator<ReadTables> {
    for await (const read of tablesOf(packs, place, options)) {
      damaged.push(...read.damaged);
      const tables: IndexPack[] = [];
      for (const pack of read.tables) {
        const isFinished = finished.has(await saveIdOf(pack, place));
        isIndexLost ||= isFinished;
        if (isFinished || pack.role === PackRole.data) tables.push(pack);
        else unfinishedCount++;
      }
      packCount += tables.length;
      yield { tables, damaged: [] };
    }
  };
  const how = { ...options, replaced: [] };
  const byteCount = await writeTables(chosen(), place, how);
  return { packCount, byteCount, unfinishedCount, damaged, isIndexLost };
}

/** Writes one table that says that others are replaced, and tells of a pack that is known already. */
export async function replaceTables(
  replaced: readonly string[],
  carrier: StoreEntry,
  place: IndexedStore,
  options: RepairOptions,
): Promise<void> {
  const tables = tablesOf([carrier], place, options);
  await writeTables(tables, place, { ...options, replaced });
}

async function saveIdOf(
  { id }: IndexPack,
  { store }: IndexedStore,
): Promise<string> {
  const range = { offset: 0, length: HEADER_SIZE };
  const bytes = await store.read(packName(id), range);
  const saveId = readSaveId(bytes);
  return saveId === undefined ? "" : hexOf(saveId);
}

/** Writes tables of packs, the last of which says what all of them replace; gives their bytes. */
async function writeTables(
  packs: AsyncIterable<ReadTables>,
  { store, hasher }: IndexedStore,
  options: RepairOptions & { readonly replaced: readonly string[] },
): Promise<number> {
  const { random = randomBytes, now = Date.now, signal } = options;
  const saveId = random(16);
  const spoolPath = await store.spoolPath(hexOf(saveId));
  let some: IndexPack[] = [];
  let objectCount = 0, fileCount = 0, byteCount = 0;
  const write = async (replaced: readonly string[]): Promise<void> => {
    if (some.length === 0) return;
    const { tables } = await writeIndexTables({
      store,
      hasher,
      saveId,
      random,
      timeMs: now(),
      spoolPath: `${spoolPath}-${fileCount++}`,
      packs: some,
      merge: [],
      replaced,
      ...(signal === undefined ? {} : { signal }),
    });
    for (const { size } of tables) byteCount += size;
    some = [];
    objectCount = 0;
  };
  try {
    for await (const { tables } of packs) {
      if (objectCount >= OBJECT_COUNT_MAX) await write([]);
      for (const pack of tables) {
        some.push(pack);
        objectCount += pack.table.objectCount;
      }
    }
    // The last one, when all packs of the damaged tables are told of.
    await write(options.replaced);
    return byteCount;
  } finally {
    removeSpooled(spoolPath);
  }
}

/** The packs that a table names, and the tables that it replaces; nothing if that is damaged, too. */
async function contentsOf(
  name: string,
  { store, hasher }: IndexedStore,
  { signal }: RepairOptions,
): Promise<
  { packs: IndexedPack[]; replaced: ReadonlySet<string> } | undefined
> {
  const range = signal === undefined ? {} : { signal };
  const size = await store.size(name, range);
  if (size === undefined) return undefined;
  const packs: IndexedPack[] = [];
  try {
    const file = await readIndexFile(store, { name, size }, {
      ...range,
      hasher,
    });
    const index = new ObjectIndex();
    index.addTables([file]);
    for await (const batch of new StoreIndex(index, store).packs(range)) {
      packs.push(...batch);
    }
    return { packs, replaced: replacedTables([file]) };
  } catch (error) {
    if (error instanceof IndexSyntaxError) return undefined;
    throw error;
  }
}

/** Tables of some packs, and which of them could not be read. */
interface ReadTables {
  readonly tables: readonly IndexPack[];
  readonly damaged: readonly DamagedPack[];
}

/** Reads the tables of packs. One that is gone is damaged, too. */
async function* tablesOf(
  packs: readonly StoreEntry[],
  { store, hasher }: IndexedStore,
  { signal }: RepairOptions,
): AsyncGenerator<ReadTables> {
  const range = signal === undefined ? {} : { signal };
  const read = async (pack: StoreEntry): Promise<IndexPack> => {
    const size = await store.size(pack.name, range);
    if (size !== pack.size) throw new NotFoundError(pack.name);
    return await readPack(store, pack, { ...range, hasher });
  };
  for (let i = 0; i < packs.length; i += READS_AT_ONCE) {
    const some = packs.slice(i, i + READS_AT_ONCE);
    const tables: IndexPack[] = [];
    const damaged: DamagedPack[] = [];
    const results = await Promise.allSettled(some.map(read));
    for (const [at, result] of results.entries()) {
      if (result.status === "fulfilled") tables.push(result.value);
      else if (
        isFileDamage(result.reason) ||
        result.reason instanceof NotFoundError
      ) {
        damaged.push({ name: some[at].name, error: result.reason });
      } else throw result.reason;
    }
    yield { tables, damaged };
  }
}
