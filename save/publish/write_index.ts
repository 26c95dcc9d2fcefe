import {
  type IndexedPack,
  IndexSyntaxError,
  packName,
  PackRole,
} from "@snap/pack";
import {
  type DamagedPack,
  type IndexPack,
  readPack,
} from "@snap/pack/index-writer";
import { ObjectIndex, replacedTables } from "@snap/pack/index";
import { readIndexFile, StoreIndex } from "@snap/pack/read";
import {
  HEADER_SIZE,
  NotFoundError,
  saveIdOf as readSaveId,
  type StoreEntry,
  StoreError,
  type StoreOptions,
  type WriteStore,
} from "@snap/store";
import { hexOf } from "@snap/hash";
import { writeIndexTables } from "./index_files.ts";
import type { SaveOptions } from "../save.ts";
import { removeSpooled } from "./spool.ts";
import type { Snapshots } from "@snap/snapshot";

/** Packs whose tables are read at once. */
const READS_AT_ONCE = 8;
/** Objects in one table that is written: their packs' tables are in memory. */
const OBJECT_COUNT_MAX = 2 ** 19;

/** How an index is written again. */
export interface RepairOptions extends StoreOptions {
  /** Gives random bytes. */
  readonly random?: (size: number) => Uint8Array;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Runs a save. Where a page of the index turns out to be damaged, writes its
 * table again from the packs and begins again; where that is not possible,
 * begins again without the table.
 *
 * @param snapshots The store.
 * @param options The options of the save.
 * @param run The save; told which tables not to look into, and the bytes of those written again.
 * @returns What `run` returns.
 */
export async function repairing<T>(
  snapshots: Snapshots<WriteStore>,
  options: SaveOptions,
  run: (damaged: ReadonlySet<string>, byteCount: number) => Promise<T>,
): Promise<T> {
  const damaged = new Set<string>();
  let byteCount = 0;
  for (;;) {
    try {
      return await run(damaged, byteCount);
    } catch (error) {
      const name = error instanceof IndexSyntaxError
        ? error.tableName
        : undefined;
      // Each table once: that it is met again is a fault of this program.
      if (name === undefined || damaged.has(name)) throw error;
      damaged.add(name);
      options.onDamage?.(name, error);
      if (options.dryRun === true) continue;
      byteCount += await repairTable(name, snapshots, options);
    }
  }
}

/**
 * Writes an index table again from its packs, as a page of it is damaged.
 *
 * @param name The table.
 * @param snapshots The store.
 * @param options The options of a save.
 * @returns The bytes that were written: none unless all its packs could be read.
 */
export async function repairTable(
  name: string,
  snapshots: Snapshots<WriteStore>,
  options: RepairOptions,
): Promise<number> {
  const contents = await contentsOf(name, snapshots, options);
  if (contents === undefined || contents.packs.length === 0) return 0;
  const packs = contents.packs.map(({ packName, packSize }) => ({
    name: packName,
    size: packSize,
  }));
  // All of them are read before the first table is written.
  for await (const { damaged } of tablesOf(packs, snapshots, options)) {
    if (damaged.length > 0) return 0;
  }
  return await writeTables(tablesOf(packs, snapshots, options), snapshots, {
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
 * @param snapshots The store.
 * @param options The packs, and what {@linkcode finishedSaves} gave before they were looked for.
 * @returns What was written.
 */
export async function indexUnnamed(
  snapshots: Snapshots<WriteStore>,
  options: RepairOptions & {
    readonly packs: readonly StoreEntry[];
    readonly finished: ReadonlySet<string>;
  },
): Promise<IndexedUnnamed> {
  const { packs, finished } = options;
  const damaged: DamagedPack[] = [];
  let packCount = 0, unfinishedCount = 0, isIndexLost = false;
  const chosen = async function* (): AsyncGenerator<ReadTables> {
    for await (const read of tablesOf(packs, snapshots, options)) {
      damaged.push(...read.damaged);
      const tables: IndexPack[] = [];
      for (const pack of read.tables) {
        const isFinished = finished.has(await saveIdOf(pack, snapshots));
        isIndexLost ||= isFinished;
        if (isFinished || pack.role === PackRole.data) tables.push(pack);
        else unfinishedCount++;
      }
      packCount += tables.length;
      yield { tables, damaged: [] };
    }
  };
  const how = { ...options, replaced: [] };
  const byteCount = await writeTables(chosen(), snapshots, how);
  return { packCount, byteCount, unfinishedCount, damaged, isIndexLost };
}

/** Writes one table that says that others are replaced, and tells of a pack that is known already. */
export async function replaceTables(
  replaced: readonly string[],
  carrier: StoreEntry,
  snapshots: Snapshots<WriteStore>,
  options: RepairOptions,
): Promise<void> {
  const tables = tablesOf([carrier], snapshots, options);
  await writeTables(tables, snapshots, { ...options, replaced });
}

/**
 * Lists the saves that have a record.
 *
 * @param snapshots The store.
 * @param options What ends the wait.
 * @returns The save ids of all records that can be read.
 */
export async function finishedSaves(
  snapshots: Snapshots<WriteStore>,
  { signal }: RepairOptions,
): Promise<Set<string>> {
  const records = await snapshots.records({
    ...(signal === undefined ? {} : { signal }),
    onDamage: () => {},
  });
  return new Set(records.map(({ saveId }) => saveId));
}

async function saveIdOf(
  { id }: IndexPack,
  { store }: Snapshots<WriteStore>,
): Promise<string> {
  const range = { offset: 0, length: HEADER_SIZE };
  const bytes = await store.read(packName(id), range);
  const saveId = readSaveId(bytes);
  return saveId === undefined ? "" : hexOf(saveId);
}

/** Writes tables of packs, the last of which says what all of them replace; gives their bytes. */
async function writeTables(
  packs: AsyncIterable<ReadTables>,
  { store, hasher }: Snapshots<WriteStore>,
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
  { store, hasher }: Snapshots<WriteStore>,
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
  { store, hasher }: Snapshots<WriteStore>,
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
      else if (isDamage(result.reason)) {
        damaged.push({ name: some[at].name, error: result.reason });
      } else throw result.reason;
    }
    yield { tables, damaged };
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof NotFoundError ||
    (error instanceof StoreError &&
      (error.code === "SHORT" || error.code === "EIO"));
}

function randomBytes(size: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(size));
}
