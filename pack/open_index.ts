/**
 * Opens the index of a store, and finds objects in it.
 *
 * @module
 */
import type { Hasher } from "@snap/hash/hasher";
import type { ReadStore, StoreOptions } from "@snap/store/store";
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
import { type IndexFile, ObjectIndex } from "./object_index.ts";

/** Bytes read at once when a table is opened; enough for 80,000 objects. */
const HEAD_GUESS = INDEX_PAGE_SIZE;

/** Options of {@linkcode openIndex}. */
export interface OpenIndexOptions extends StoreOptions {
  /** What hashes. */
  readonly hasher: Hasher;
  /** Memory for pages in bytes, 4 MiB if left out. */
  readonly cacheSize?: number;
  /**
   * Is told of a table that is damaged, which is then left out. Without it
   * such a table is an error.
   *
   * @param name Name of the table
   * @param error What is wrong with it
   */
  readonly onDamage?: (name: string, error: unknown) => void;
}

/** The index of a store. */
export class StoreIndex {
  /** The index. */
  readonly index: ObjectIndex;
  /** Names of tables that are there and were left out, as they are damaged. */
  readonly damaged: readonly string[];
  readonly #store: ReadStore;

  /**
   * Constructs a new instance.
   *
   * @param index The index
   * @param store The store that its tables lie in
   * @param damaged Names of tables that were left out, none if left out itself
   */
  constructor(
    index: ObjectIndex,
    store: ReadStore,
    damaged: readonly string[] = [],
  ) {
    this.index = index;
    this.damaged = damaged;
    this.#store = store;
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
   * Reads a page from the store and gives it to the index.
   *
   * @param request The request
   * @param options What ends the wait
   * @throws {IndexSyntaxError} If the page is damaged
   */
  async fetch(request: PageRequest, options: StoreOptions = {}): Promise<void> {
    const { name, offset, length } = request;
    const range = { ...options, offset, length };
    this.index.give(request, await this.#store.read(name, range));
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
  const { cacheSize, onDamage } = options;
  const index = new ObjectIndex(cacheSize === undefined ? {} : { cacheSize });
  const tables: { readonly name: string; readonly size: number }[] = [];
  for await (const batch of store.list(INDEX_PREFIX, signalOf(options))) {
    tables.push(...batch.filter(({ name }) => indexIdOf(name) !== undefined));
  }
  // In one order everywhere, so that numbers do not depend on the store.
  tables.sort((a, b) => a.name < b.name ? -1 : 1);
  const files: IndexFile[] = [];
  const damaged: string[] = [];
  for (const table of tables) {
    try {
      files.push(await readIndexFile(store, table, options));
    } catch (error) {
      if (onDamage === undefined || !(error instanceof SyntaxError)) {
        throw error;
      }
      onDamage(table.name, error);
      damaged.push(table.name);
    }
  }
  index.addTables(files);
  return new StoreIndex(index, store, damaged);
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
  const { name, size } = table;
  const range = signalOf(options);
  const length = Math.min(size, HEAD_GUESS);
  let bytes = await store.read(name, { ...range, offset: 0, length });
  const headSize = readIndexHeadSize(bytes, size);
  if (headSize > bytes.length) {
    bytes = await store.read(name, { ...range, offset: 0, length: headSize });
  }
  return { name, size, head: decodeIndexHead(bytes, size, options.hasher) };
}

function signalOf(options: StoreOptions): StoreOptions {
  return options.signal === undefined ? {} : { signal: options.signal };
}
