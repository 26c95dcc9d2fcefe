/**
 * Opens the index of a store, and finds objects in it.
 *
 * @module
 */
import { sharedCopy } from "../bytes.ts";
import type { Hasher } from "@snap/hash";
import { NotFoundError, type ReadStore, type StoreOptions } from "@snap/store";
import { StoreIndex } from "./store_index.ts";
import { isSameSet, type MoreTables, TablesToCome } from "./tables_to_come.ts";
import { type OpenRanges, openRanges } from "../ranges/open_ranges.ts";
import { type AwaitedRanges, takeSound } from "../ranges/ranges.ts";
import { isFileDamage } from "../faults.ts";
import { type UnnamedFound, UnnamedPacks } from "./unnamed_packs.ts";
import { INDEX_PREFIX, indexIdOf } from "../file_name.ts";
import {
  decodeIndexHead,
  INDEX_PAGE_SIZE,
  type IndexHead,
  readIndexHeadSize,
} from "./index_table.ts";
import { type IndexFile, replacedTables } from "./index_file.ts";
import { ObjectIndex } from "./object_index.ts";
import { OpenTable } from "./open_table.ts";

export { StoreIndex, type StoreIndexOptions } from "./store_index.ts";
export type {
  MissingOptions,
  MoreTables,
  ReadMore,
  TablesToCome,
} from "./tables_to_come.ts";
export type {
  NamedPacks,
  UnnamedFound,
  UnnamedPacks,
  UnnamedPacksOptions,
} from "./unnamed_packs.ts";

/** Bytes read at once when a table is opened; enough for 80,000 objects. */
const HEAD_GUESS = INDEX_PAGE_SIZE;
/** Where a request costs more than bytes do: enough for a million objects. */
const FAR_HEAD_GUESS = 16 * INDEX_PAGE_SIZE;
/** A table far away is read whole up to this size, as long as all of those have at most so many bytes. */
const WHOLE_SIZE = 1 << 20, WHOLE_SIZES = 16 << 20;
/** Tables opened at once where each costs a round trip. */
const OPENINGS_MAX = 16;

/** A table in a store. */
interface NamedTable {
  readonly name: string;
  readonly size: number;
}

/** Options of {@linkcode openIndex}. */
export interface OpenIndexOptions extends StoreOptions {
  /** Hasher. */
  readonly hasher: Hasher;
  /** Memory for pages in bytes, 4 MiB if left out. */
  readonly cacheSize?: number;
  /** Source of tables; the store, and pages by promises, if left out. */
  readonly ranges?: AwaitedRanges;
  /**
   * Names of tables that are known to be damaged: they are left out, and what they
   * replace is not. None if left out.
   */
  readonly without?: ReadonlySet<string>;
  /** Whether tables that others replace are opened, too, though nothing is looked up there. */
  readonly withReplaced?: boolean;
  /** Is called when the tables are listed, before they are read. */
  readonly onListed?: () => void;
  /**
   * Is told of a table that is damaged, which is then left out.
   *
   * @param name Name of the table
   * @param error What is wrong with it
   */
  readonly onDamage?: (name: string, error: unknown) => void;
  /**
   * Is told, once each, of a table with a damaged page; what is in the page is
   * read from the tables of packs.
   *
   * @param name Name of the table
   * @param error What is wrong with it
   */
  readonly onMend?: (name: string, error: unknown) => void;
  /**
   * Is told when packs were looked for and found that no sound table names. That
   * is done when an object is in no table, or a table is damaged.
   *
   * @param found The packs whose own tables were read, and those that are damaged
   */
  readonly onUnnamed?: (found: UnnamedFound) => void;
}

/**
 * Opens the index of a store: reads the heads of its tables and nothing else. What
 * no sound table tells of is found in the packs when it is asked for.
 *
 * @param store The store
 * @param options What hashes, memory, what to do about damage
 * @returns The index
 * @throws {UnsupportedVersionError} If a table needs a newer reader
 */
export async function openIndex(
  store: ReadStore,
  options: OpenIndexOptions,
): Promise<StoreIndex> {
  const { cacheSize, hasher, onDamage, onMend, onUnnamed } = options;
  const { names, files, damages } = await readTables(store, options, new Set());
  for (const [name, error] of damages) onDamage?.(name, error);
  const index = new ObjectIndex(cacheSize === undefined ? {} : { cacheSize });
  index.addTables(files);
  return new StoreIndex(index, store, {
    damaged: [...damages.keys()],
    ranges: options.ranges,
    unnamed: new UnnamedPacks({ store, hasher, onMend, onUnnamed }),
    more: new TablesToCome(
      names,
      (known, { signal }) => readTables(store, { ...options, signal }, known),
    ),
  });
}

/**
 * Lists the tables of a store, and reads the heads of those that are not known. One
 * may go meanwhile, as others have replaced it: then the list is made again.
 */
async function readTables(
  store: ReadStore,
  options: OpenIndexOptions,
  known: ReadonlySet<string>,
): Promise<MoreTables & { readonly damages: ReadonlyMap<string, Error> }> {
  let before: ReadonlySet<string> | undefined;
  for (;;) {
    const tables = await listTables(store, options);
    if (known.size === 0 && before === undefined) options.onListed?.();
    const files: IndexFile[] = [];
    const damages = new Map<string, Error>(), gone = new Map<string, Error>();
    const fresh = tables.filter(({ name }) => !known.has(name));
    for await (const [{ name }, opened] of openTables(store, fresh, options)) {
      if (!(opened instanceof Error)) files.push(opened);
      else if (opened instanceof NotFoundError) gone.set(name, opened);
      else if (isFileDamage(opened)) damages.set(name, opened);
      else throw opened;
    }
    // What another table replaces may be as it is.
    for (const name of replacedTables(files)) {
      damages.delete(name);
      gone.delete(name);
    }
    const names = new Set(tables.map(({ name }) => name));
    const [lost] = gone.values();
    if (lost === undefined) {
      // In one order everywhere, so that numbers do not depend on the store.
      files.sort((a, b) => a.name < b.name ? -1 : 1);
      return { names, files, damages };
    }
    if (before !== undefined && isSameSet(names, before)) throw lost;
    before = names;
  }
}

/** The tables of a store: what a table replaces is smaller, and then its head need not be read. */
async function listTables(
  store: ReadStore,
  { without, signal }: OpenIndexOptions,
): Promise<NamedTable[]> {
  const tables: NamedTable[] = [];
  for await (const batch of store.list(INDEX_PREFIX, signalOf({ signal }))) {
    tables.push(
      ...batch.filter(({ name }) =>
        indexIdOf(name) !== undefined && !without?.has(name)
      ),
    );
  }
  return tables.sort((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1));
}

/** Where a table stands that is looked at by itself. */
const FIRST_PLACE = { number: 0, packBase: 0, frameBase: 0, objectBase: 0 };

/** Reads the heads of tables that count, in order. A file is read at once: thirty times faster than by promises. */
async function* openTables(
  store: ReadStore,
  tables: readonly NamedTable[],
  options: OpenIndexOptions,
): AsyncGenerator<[NamedTable, IndexFile | Error]> {
  const own = options.ranges === undefined
    ? await openRanges(store)
    : undefined;
  const ranges: AwaitedRanges = options.ranges ?? own as OpenRanges;
  let wholeSize = 0;
  const open = async (table: NamedTable): Promise<IndexFile | Error> => {
    const { size } = table;
    const isWhole = ranges.isFar && size <= WHOLE_SIZE &&
      wholeSize + size <= WHOLE_SIZES;
    if (isWhole) wholeSize += size;
    try {
      return await openTable(ranges, table, { ...options, isWhole });
    } catch (error) {
      return error as Error;
    }
  };
  const count = ranges.isFar ? OPENINGS_MAX : 1;
  const replaced = new Set<string>();
  try {
    for (let first = 0; first < tables.length; first += count) {
      options.signal?.throwIfAborted();
      const some = tables.slice(first, first + count)
        .filter(({ name }) => !replaced.has(name));
      const opened = await Promise.all(some.map(open));
      for (const [i, file] of opened.entries()) {
        yield [some[i], file];
        if (file instanceof Error || options.withReplaced) continue;
        for (const name of replacedTables([file])) replaced.add(name);
      }
    }
  } finally {
    await own?.[Symbol.asyncDispose]();
  }
}

/**
 * Reads the head of a table.
 *
 * @param store The store
 * @param table Its name and its size in bytes
 * @param options What hashes
 * @returns The table
 * @throws {IndexSyntaxError} If the head is damaged
 * @throws {UnsupportedVersionError} If the table needs a newer reader
 */
export async function readIndexFile(
  store: ReadStore,
  table: { readonly name: string; readonly size: number },
  options: StoreOptions & { readonly hasher: Hasher },
): Promise<IndexFile> {
  const ranges = await openRanges(store);
  try {
    return await openTable(ranges, table, options);
  } finally {
    await ranges[Symbol.asyncDispose]();
  }
}

async function openTable(
  ranges: AwaitedRanges,
  table: NamedTable,
  options: StoreOptions & {
    readonly hasher: Hasher;
    readonly isWhole?: boolean;
  },
): Promise<IndexFile> {
  if (options.isWhole === true) {
    try {
      return await takeWhole(ranges, table, options);
    } catch (error) {
      // Of a damaged table those pages count that are sound.
      if (!isFileDamage(error)) throw error;
    }
  }
  const { name, size } = table;
  const decode = (bytes: Uint8Array): IndexHead =>
    decodeIndexHead(bytes, size, options.hasher);
  const guess = ranges.isFar ? FAR_HEAD_GUESS : HEAD_GUESS;
  const start = { name, offset: 0, length: Math.min(size, guess) };
  let head = await takeSound(ranges, start, (bytes) => {
    const headSize = readIndexHeadSize(bytes, size);
    return headSize > bytes.length ? headSize : decode(bytes);
  }, options);
  if (typeof head !== "number") return { name, size, head };
  try {
    const whole = { ...start, length: head };
    head = await takeSound(ranges, whole, decode, options);
    return { name, size, head };
  } catch (error) {
    // The start may have told a wrong size of the head.
    const isDamage = isFileDamage(error);
    if (!isDamage || !ranges.distrust(name, 0, start.length)) throw error;
    return await openTable(ranges, table, { ...options, isWhole: false });
  }
}

/** Reads all of a table, and checks every page. */
function takeWhole(
  ranges: AwaitedRanges,
  { name, size }: NamedTable,
  options: StoreOptions & { readonly hasher: Hasher },
): Promise<IndexFile> {
  const range = { name, offset: 0, length: size };
  return takeSound(ranges, range, (bytes) => {
    const head = decodeIndexHead(bytes, size, options.hasher);
    const table = new OpenTable({ name, size, head }, FIRST_PLACE);
    for (let at = table.firstPage; at < size; at += INDEX_PAGE_SIZE) {
      table.checkPage(at, bytes.subarray(at, at + INDEX_PAGE_SIZE));
    }
    // Shared, as workers look things up, too.
    return { name, size, head, bytes: sharedCopy(bytes) };
  }, options);
}

function signalOf(options: StoreOptions): StoreOptions {
  return options.signal === undefined ? {} : { signal: options.signal };
}
