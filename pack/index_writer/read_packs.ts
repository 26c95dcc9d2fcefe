/**
 * The tables of packs, from which an index is built again.
 *
 * @module
 */
import type { Hasher } from "@snap/hash";
import {
  NotFoundError,
  type ReadOptions,
  type ReadStore,
  type StoreEntry,
  type StoreOptions,
} from "@snap/store";
import { PackSyntaxError } from "../errors.ts";
import { isFileDamage } from "../faults.ts";
import { packIdOf } from "../file_name.ts";
import type { IndexPack } from "./index_run.ts";
import {
  decodePackFooter,
  PACK_FOOTER_SIZE,
  PACK_HEADER_SIZE,
} from "../write/pack_footer.ts";
import { readPackTable } from "../write/pack_table.ts";

/** Bytes read at the end of a pack at once: footer and most tables, for one request. */
const TAIL_SIZE = 128 << 10;

/** Packs that are read at once. */
const READS_AT_ONCE = 8;

/** Options of {@linkcode readPacks}. */
export interface ReadPacksOptions extends StoreOptions {
  /** Hasher. */
  readonly hasher: Hasher;
}

/** A pack whose table cannot be read. */
export interface DamagedPack {
  /** Its name in the store. */
  readonly name: string;
  /** The fault. */
  readonly error: Error;
}

/** Tables of packs that could be read, and faults of the others. */
export interface PackTables {
  /** Packs with their tables: what `buildIndex` takes. */
  readonly packs: readonly IndexPack[];
  /** Packs that are left out. */
  readonly damaged: readonly DamagedPack[];
}

/**
 * Reads the tables of packs, a few at once. A pack that is damaged, gone or of
 * another size is told of and left out; an error of the store ends it.
 *
 * @param store The store
 * @param entries Names and sizes in bytes of the packs
 * @param options What hashes, what ends the wait
 * @returns The packs in the order of `entries`, from which `buildIndex` makes an index
 * @throws {StoreError} If the store fails
 *
 * @example
 * ```ts
 * import { readPacks } from "@snap/pack/index-writer";
 * import { MemoryStore } from "@snap/store/memory";
 * import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
 * import { equal } from "node:assert/strict";
 *
 * const entries = [{ name: "packs/aa/gone", size: 500 }];
 * for await (const { damaged } of readPacks(new MemoryStore(), entries, { hasher })) {
 *   equal(damaged.length, 1);
 * }
 * ```
 */
export async function* readPacks(
  store: ReadStore,
  entries: readonly StoreEntry[],
  options: ReadPacksOptions,
): AsyncGenerator<PackTables> {
  const read = async (pack: StoreEntry): Promise<IndexPack> => {
    const size = await store.size(pack.name, options);
    if (size !== pack.size) throw new NotFoundError(pack.name);
    return await readPack(store, pack, options);
  };
  for (let i = 0; i < entries.length; i += READS_AT_ONCE) {
    const some = entries.slice(i, i + READS_AT_ONCE);
    const packs: IndexPack[] = [];
    const damaged: DamagedPack[] = [];
    const results = await Promise.allSettled(some.map(read));
    for (const [at, result] of results.entries()) {
      if (result.status === "fulfilled") packs.push(result.value);
      else if (
        isFileDamage(result.reason) || result.reason instanceof NotFoundError
      ) {
        damaged.push({ name: some[at].name, error: result.reason });
      } else throw result.reason;
    }
    yield { packs, damaged };
  }
}

/**
 * Reads footer and table of a pack. The header, which only the name of the pack
 * covers, is not looked at.
 *
 * @param store The store
 * @param entry Name and size in bytes of the pack
 * @param options What hashes, what ends the wait
 * @returns The pack
 * @throws {PackSyntaxError} If it is damaged
 */
export async function readPack(
  store: ReadStore,
  entry: StoreEntry,
  options: ReadPacksOptions,
): Promise<IndexPack> {
  const range = { signal: options.signal };
  try {
    return await readEntry(store, entry, range, options.hasher);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // What is damaged may be a copy.
    const fresh = { ...range, isFresh: true };
    return await readEntry(store, entry, fresh, options.hasher);
  }
}

async function readEntry(
  store: ReadStore,
  entry: StoreEntry,
  range: ReadOptions,
  hasher: Hasher,
): Promise<IndexPack> {
  const { name, size } = entry;
  const id = packIdOf(name);
  if (id === undefined) {
    throw new PackSyntaxError(
      `Cannot read ${name} as a pack is named by its id`,
      0,
    );
  }
  if (size < PACK_HEADER_SIZE + PACK_FOOTER_SIZE) {
    throw new PackSyntaxError(
      `Cannot read ${name} as a pack has at least ${
        PACK_HEADER_SIZE + PACK_FOOTER_SIZE
      } bytes: found ${size}`,
      0,
    );
  }
  const length = Math.min(size, TAIL_SIZE);
  const offset = size - length;
  const tail = await store.read(name, { ...range, offset, length });
  const footer = decodePackFooter(
    tail.subarray(length - PACK_FOOTER_SIZE),
    size,
  );
  const { tableOffset, role } = footer;
  const tableSize = size - PACK_FOOTER_SIZE - tableOffset;
  const bytes = tableOffset >= offset
    ? tail.slice(tableOffset - offset, length - PACK_FOOTER_SIZE)
    : await store.read(name, {
      ...range,
      offset: tableOffset,
      length: tableSize,
    });
  return {
    id,
    size,
    role,
    table: readPackTable(bytes, footer, hasher),
  };
}
