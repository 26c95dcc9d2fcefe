/**
 * Opens the index of a store, and finds objects in it.
 *
 * @module
 */
import type { Hasher } from "@snap/hash/hasher";
import type { ReadStore, StoreOptions } from "@snap/store/store";
import { localBytes } from "./_stored_bytes.ts";
import { TableMender } from "./_table_mender.ts";
import { IndexSyntaxError } from "./errors.ts";
import { INDEX_PREFIX, indexIdOf } from "./file_name.ts";
import {
  decodeIndexHead,
  INDEX_PAGE_SIZE,
  readIndexHeadSize,
} from "./index_table.ts";
import {
  type IndexedPack,
  isPageRequest,
  type Location,
  type PageRequest,
} from "./location.ts";
import { type IndexFile, ObjectIndex, replacedTables } from "./object_index.ts";

/** Bytes read at once when a table is opened; enough for 80,000 objects. */
const HEAD_GUESS = INDEX_PAGE_SIZE;
/** Tables opened at once where each costs a round trip. */
const OPENINGS_MAX = 16;

/** Reads a range of a table; bytes that are no promise are good until the next call. */
type ReadRange = (
  name: string,
  offset: number,
  length: number,
) => Promise<Uint8Array> | Uint8Array;

/** A table in a store. */
interface NamedTable {
  readonly name: string;
  readonly size: number;
}

/** Options of {@linkcode openIndex}. */
export interface OpenIndexOptions extends StoreOptions {
  /** What hashes. */
  readonly hasher: Hasher;
  /** Memory for pages in bytes, 4 MiB if left out. */
  readonly cacheSize?: number;
  /**
   * Names of tables that are known to be damaged: they are left out, and what they
   * replace is not. None if left out.
   */
  readonly without?: ReadonlySet<string>;
  /** Whether tables that others replace are opened, too, though nothing is looked up there. */
  readonly withReplaced?: boolean;
  /**
   * Is told of a table that is damaged, which is then left out. Without it
   * such a table is an error.
   *
   * @param name Name of the table
   * @param error What is wrong with it
   */
  readonly onDamage?: (name: string, error: unknown) => void;
  /**
   * Is told, once each, of a table with a damaged page that was built again in
   * memory, from the tables of its packs. Without it such a page is an error,
   * as it is where the table cannot be built: a pack is damaged or gone, or
   * it would be more than 2^20 objects.
   *
   * @param name Name of the table
   * @param error What is wrong with it
   */
  readonly onMend?: (name: string, error: unknown) => void;
}

/** Options of {@linkcode StoreIndex}. */
export interface StoreIndexOptions {
  /** Names of tables that were left out as they are damaged, none if absent. */
  readonly damaged?: readonly string[];
  /** What hashes, and who is told, where damaged tables are built again. */
  readonly mend?: {
    readonly hasher: Hasher;
    readonly onMend: (name: string, error: unknown) => void;
  };
  /** An index of the same store, with which tables that are built again are shared. */
  readonly shared?: StoreIndex;
}

/** The index of a store. */
export class StoreIndex {
  /** The index. */
  readonly index: ObjectIndex;
  /** Names of tables that are there and were left out, as they are damaged. */
  readonly damaged: readonly string[];
  readonly #store: ReadStore;
  readonly #mender: TableMender | undefined;

  /**
   * Constructs a new instance.
   *
   * @param index The index
   * @param store The store that its tables lie in
   * @param options Tables that were left out, or built again
   */
  constructor(
    index: ObjectIndex,
    store: ReadStore,
    options: StoreIndexOptions = {},
  ) {
    this.index = index;
    const { damaged = [], mend, shared } = options;
    this.damaged = damaged;
    this.#store = store;
    if (mend !== undefined) this.#mender = new TableMender({ store, ...mend });
    else if (shared !== undefined) this.#mender = shared.#mender;
  }

  /** Tables that lie in the store; the others were built again in memory. */
  get storedTables(): readonly IndexFile[] {
    const { tables } = this.index;
    return tables.filter(({ name }) => !this.#mender?.bytesOf(name));
  }

  /**
   * Finds an object.
   *
   * @param id 32 bytes of its id
   * @param kind Number of its kind
   * @param options What ends the wait
   * @returns Where it lies, `undefined` where no pack that is present holds it
   * @throws {IndexSyntaxError} If a page is damaged
   */
  async locate(
    id: Uint8Array,
    kind: number,
    options: StoreOptions = {},
  ): Promise<Location | undefined> {
    for (;;) {
      const answer = this.index.locate(id, 0, kind);
      if (!isPageRequest(answer)) return answer;
      await this.fetch(answer, options);
    }
  }

  /**
   * Finds the copies of an object, those in bad packs last.
   *
   * @param id 32 bytes of its id
   * @param kind Number of its kind
   * @param options What ends the wait
   * @returns Where they lie, at most 64
   * @throws {IndexSyntaxError} If a page is damaged
   */
  async locateAll(
    id: Uint8Array,
    kind: number,
    options: StoreOptions = {},
  ): Promise<Location[]> {
    for (;;) {
      const answer = this.index.locateAll(id, 0, kind);
      if (!isPageRequest(answer)) return answer;
      await this.fetch(answer, options);
    }
  }

  /**
   * Goes through all pack rows of tables that are not replaced; a pack that
   * stands in several tables comes several times.
   *
   * @param options What ends the wait
   * @returns Batches of packs
   * @throws {IndexSyntaxError} If a page is damaged
   */
  async *packs(
    options: StoreOptions = {},
  ): AsyncGenerator<IndexedPack[], void, void> {
    let batch: IndexedPack[] = [];
    for (let number = 0; number < this.index.packCount;) {
      const answer = this.index.packAt(number);
      if (isPageRequest(answer)) {
        if (batch.length > 0) yield batch;
        batch = [];
        await this.fetch(answer, options);
        continue;
      }
      if (answer !== undefined) batch.push(answer);
      number++;
    }
    if (batch.length > 0) yield batch;
  }

  /**
   * Reads a page from the store and gives it to the index. Where it is damaged
   * its table may be built again: then no page of it is asked for any more.
   *
   * @param request The request
   * @param options What ends the wait
   * @throws {IndexSyntaxError} If the page is damaged
   */
  async fetch(request: PageRequest, options: StoreOptions = {}): Promise<void> {
    const { name, offset, length } = request;
    const built = this.#mender?.bytesOf(name);
    if (built !== undefined) {
      return this.index.give(request, built.subarray(offset, offset + length));
    }
    try {
      const page = this.readPage(request, options);
      this.index.give(request, page instanceof Promise ? await page : page);
    } catch (error) {
      if (!(error instanceof IndexSyntaxError)) throw error;
      const { tables } = this.index;
      const damaged = tables[request.table];
      const table = await this.#mender?.mend(damaged, error, options);
      if (table === undefined) throw error;
      const isNew = tables.every((one) => one.name !== table.name);
      if (isNew) this.index.addTables([table]);
    }
  }

  /**
   * Reads a page from the store.
   *
   * @param request The request
   * @param options What ends the wait
   * @returns Its bytes; if they do not come by a promise, good until the next call
   */
  protected readPage(
    request: PageRequest,
    options: StoreOptions,
  ): Promise<Uint8Array> | Uint8Array {
    const { name, offset, length } = request;
    return this.#store.read(name, { ...options, offset, length });
  }
}

/**
 * Opens the index of a store: reads the heads of its tables and nothing else.
 *
 * @param store The store
 * @param options What hashes, memory, what to do about damage
 * @returns The index
 * @throws {IndexSyntaxError} If a head is damaged and `onDamage` is not there
 * @throws {UnsupportedVersionError} If a table needs a newer reader
 */
export async function openIndex(
  store: ReadStore,
  options: OpenIndexOptions,
): Promise<StoreIndex> {
  const { cacheSize, hasher, without, onDamage, onMend } = options;
  const tables: NamedTable[] = [];
  for await (const batch of store.list(INDEX_PREFIX, signalOf(options))) {
    tables.push(
      ...batch.filter(({ name }) =>
        indexIdOf(name) !== undefined && !without?.has(name)
      ),
    );
  }
  // What a table replaces is smaller, and then its head need not be read.
  tables.sort((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1));
  const files: IndexFile[] = [];
  const damaged: string[] = [];
  for await (const [{ name }, opened] of openTables(store, tables, options)) {
    if (!(opened instanceof Error)) files.push(opened);
    else if (onDamage === undefined || !(opened instanceof SyntaxError)) {
      throw opened;
    } else {
      onDamage(name, opened);
      damaged.push(name);
    }
  }
  // In one order everywhere, so that numbers do not depend on the store.
  files.sort((a, b) => a.name < b.name ? -1 : 1);
  const index = new ObjectIndex(cacheSize === undefined ? {} : { cacheSize });
  index.addTables(files);
  return new StoreIndex(index, store, {
    damaged,
    ...(onMend === undefined ? {} : { mend: { hasher, onMend } }),
  });
}

/** Reads the heads of tables that count, in order. A file is read at once: thirty times faster than by promises. */
async function* openTables(
  store: ReadStore,
  tables: readonly NamedTable[],
  options: OpenIndexOptions,
): AsyncGenerator<[NamedTable, IndexFile | Error]> {
  const files = await localBytes(store);
  const read = files?.range.bind(files) ?? remoteRanges(store, options);
  const open = async (table: NamedTable): Promise<IndexFile | Error> => {
    try {
      return await readHead(read, table, options.hasher);
    } catch (error) {
      return error as Error;
    }
  };
  const count = files === undefined ? OPENINGS_MAX : 1;
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
    files?.close();
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
  return await readHead(remoteRanges(store, options), table, options.hasher);
}

function remoteRanges(store: ReadStore, options: StoreOptions): ReadRange {
  const signal = signalOf(options);
  return (name, offset, length) =>
    store.read(name, { ...signal, offset, length });
}

async function readHead(
  read: ReadRange,
  { name, size }: NamedTable,
  hasher: Hasher,
): Promise<IndexFile> {
  const first = read(name, 0, Math.min(size, HEAD_GUESS));
  let bytes = first instanceof Promise ? await first : first;
  const headSize = readIndexHeadSize(bytes, size);
  if (headSize > bytes.length) {
    const whole = read(name, 0, headSize);
    bytes = whole instanceof Promise ? await whole : whole;
  }
  return { name, size, head: decodeIndexHead(bytes, size, hasher) };
}

function signalOf(options: StoreOptions): StoreOptions {
  return options.signal === undefined ? {} : { signal: options.signal };
}
