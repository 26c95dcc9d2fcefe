import { IndexSyntaxError } from "@snap/pack/errors";
import type { IndexPack } from "@snap/pack/index-builder";
import type { IndexedPack } from "@snap/pack/location";
import { ObjectIndex, replacedTables } from "@snap/pack/object-index";
import { readIndexFile, StoreIndex } from "@snap/pack/open-index";
import { readPack } from "@snap/pack/rebuild-index";
import type { WriteStore } from "@snap/store";
import {
  NotFoundError,
  StoreError,
  UnsupportedVersionError,
} from "@snap/store/errors";
import { hexOf } from "./_hex_of.ts";
import { writeIndexTables } from "./_index_files.ts";
import type { SaveOptions } from "./save.ts";
import { removeSpooled } from "./_spool.ts";
import type { Snapshots } from "./snapshots.ts";

/** Packs whose tables are read at once. */
const READS_AT_ONCE = 8;
/** Objects in one table that is written: their packs' tables are in memory. */
const OBJECT_COUNT_MAX = 2 ** 19;

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
  options: SaveOptions,
): Promise<number> {
  const { store } = snapshots;
  const contents = await contentsOf(name, snapshots, options);
  if (contents === undefined || contents.packs.length === 0) return 0;
  const { packs, replaced } = contents;
  // All of them are read before the first table is written.
  for await (const tables of tablesOf(packs, snapshots, options)) {
    if (tables === undefined) return 0;
  }
  const { random = randomBytes, now = Date.now, signal } = options;
  const saveId = random(16);
  const spoolPath = await store.spoolPath(hexOf(saveId));
  let some: IndexPack[] = [];
  let objectCount = 0, fileCount = 0, byteCount = 0;
  const write = async (replaced: readonly string[]): Promise<void> => {
    const { tables } = await writeIndexTables({
      store,
      hasher: snapshots.hasher,
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
    for await (const tables of tablesOf(packs, snapshots, options)) {
      if (tables === undefined) return byteCount;
      if (objectCount >= OBJECT_COUNT_MAX) await write([]);
      for (const pack of tables) {
        some.push(pack);
        objectCount += pack.table.objectCount;
      }
    }
    // The last one, when all packs of the damaged table are told of.
    await write([name, ...replaced]);
    return byteCount;
  } finally {
    removeSpooled(spoolPath);
  }
}

/** The packs that a table names, and the tables that it replaces; nothing if that is damaged, too. */
async function contentsOf(
  name: string,
  { store, hasher }: Snapshots<WriteStore>,
  { signal }: SaveOptions,
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

/** Reads the tables of packs; gives nothing for those of which one is damaged or gone. */
async function* tablesOf(
  packs: readonly IndexedPack[],
  { store, hasher }: Snapshots<WriteStore>,
  { signal }: SaveOptions,
): AsyncGenerator<IndexPack[] | undefined> {
  const range = signal === undefined ? {} : { signal };
  const read = async (pack: IndexedPack): Promise<IndexPack | undefined> => {
    const { packName: name, packSize: size } = pack;
    if (await store.size(name, range) !== size) return undefined;
    return await readPack(store, { name, size }, { ...range, hasher });
  };
  for (let i = 0; i < packs.length; i += READS_AT_ONCE) {
    const reads = packs.slice(i, i + READS_AT_ONCE).map(read);
    const results = await Promise.allSettled(reads);
    const tables: IndexPack[] = [];
    for (const result of results) {
      if (result.status === "rejected" && !isDamage(result.reason)) {
        throw result.reason;
      }
      if (result.status === "fulfilled" && result.value !== undefined) {
        tables.push(result.value);
      }
    }
    yield tables.length === results.length ? tables : undefined;
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof NotFoundError ||
    error instanceof UnsupportedVersionError ||
    (error instanceof StoreError && error.code === "SHORT");
}

function randomBytes(size: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(size));
}
