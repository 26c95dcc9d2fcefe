import { IndexSyntaxError } from "../errors.ts";
import { packName } from "../file_name.ts";
import { replacedTables } from "../index/index_file.ts";
import { ObjectIndex } from "../index/object_index.ts";
import { readIndexFile } from "../index/open_index.ts";
import { StoreIndex } from "../index/store_index.ts";
import type { IndexPack } from "../index_writer/index_run.ts";
import {
  type DamagedPack,
  type PackTables,
  readPacks,
} from "../index_writer/read_packs.ts";
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
import { openSpool } from "@snap/store/owner";
import { randomBytes } from "./pack_files.ts";

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
  for await (const { damaged } of readPlace(packs, place, options)) {
    if (damaged.length > 0) return 0;
  }
  return await writeTables(readPlace(packs, place, options), place, {
    ...options,
    replaced: [name, ...contents.replaced],
  });
}

/** Result of {@linkcode indexUnnamed}. */
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
    readonly believed?: ReadonlySet<string>;
  },
): Promise<IndexedUnnamed> {
  const { packs, finished, believed } = options;
  const damaged: DamagedPack[] = [];
  let packCount = 0, unfinishedCount = 0, isIndexLost = false;
  const chosen = async function* (): AsyncGenerator<PackTables> {
    for await (const read of readPlace(packs, place, options)) {
      damaged.push(...read.damaged.filter(({ error }) => !isGone(error)));
      const told: IndexPack[] = [];
      for (const pack of read.packs) {
        const saveId = await saveIdOf(pack, place);
        if (saveId === undefined) continue;
        const isFinished = finished.has(saveId);
        isIndexLost ||= isFinished;
        const isBelieved = isFinished || believed?.has(saveId) === true;
        if (isBelieved || pack.role === PackRole.data) told.push(pack);
        else unfinishedCount++;
      }
      packCount += told.length;
      yield { packs: told, damaged: [] };
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
  const packs = readPlace([carrier], place, options);
  await writeTables(packs, place, { ...options, replaced });
}

function readPlace(
  packs: readonly StoreEntry[],
  { store, hasher }: IndexedStore,
  { signal }: RepairOptions,
): AsyncGenerator<PackTables> {
  return readPacks(store, packs, { hasher, signal });
}

/** The save that a pack is of; undefined if those who remove packs have removed it meanwhile. */
async function saveIdOf(
  { id }: IndexPack,
  { store }: IndexedStore,
): Promise<string | undefined> {
  const range = { offset: 0, length: HEADER_SIZE };
  try {
    const saveId = readSaveId(await store.read(packName(id), range));
    return saveId === undefined ? "" : hexOf(saveId);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof NotFoundError;
}

/** Writes tables of packs, the last of which says what all of them replace; gives their bytes. */
async function writeTables(
  packs: AsyncIterable<PackTables>,
  { store, hasher }: IndexedStore,
  options: RepairOptions & { readonly replaced: readonly string[] },
): Promise<number> {
  const { random = randomBytes, now = Date.now, signal } = options;
  const saveId = random(16);
  const spool = await openSpool(store, saveId);
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
      spoolPath: `${spool.path}-${fileCount++}`,
      packs: some,
      merge: [],
      replaced,
      signal,
    });
    for (const { size } of tables) byteCount += size;
    some = [];
    objectCount = 0;
  };
  try {
    for await (const read of packs) {
      if (objectCount >= OBJECT_COUNT_MAX) await write([]);
      for (const pack of read.packs) {
        some.push(pack);
        objectCount += pack.table.objectCount;
      }
    }
    // The last one, when all packs of the damaged tables are told of.
    await write(options.replaced);
    return byteCount;
  } finally {
    spool[Symbol.dispose]();
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
  const size = await store.size(name, { signal });
  if (size === undefined) return undefined;
  const packs: IndexedPack[] = [];
  try {
    const file = await readIndexFile(store, { name, size }, { signal, hasher });
    const index = new ObjectIndex();
    index.addTables([file]);
    for await (const batch of new StoreIndex(index, store).packs({ signal })) {
      packs.push(...batch);
    }
    return { packs, replaced: replacedTables([file]) };
  } catch (error) {
    if (error instanceof IndexSyntaxError) return undefined;
    throw error;
  }
}
