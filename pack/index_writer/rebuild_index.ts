/**
 * Reads the tables of packs, from which an index is built again.
 *
 * @module
 */
import type { Hasher } from "@snap/hash";
import {
  NotFoundError,
  type ReadStore,
  type StoreEntry,
  type StoreOptions,
} from "@snap/store";
import { PackSyntaxError } from "../errors.ts";
import { PACK_PREFIX, packIdOf } from "../file_name.ts";
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

/** Options of {@linkcode rebuildIndex}. */
export interface RebuildIndexOptions extends StoreOptions {
  /** What hashes. */
  readonly hasher: Hasher;
}

/** A pack whose table cannot be read. */
export interface DamagedPack {
  /** Its name in the store. */
  readonly name: string;
  /** What is wrong with it. */
  readonly error: Error;
}

/** What the packs of a store say. */
export interface RebuiltIndex {
  /** Packs with their tables, by ascending name: what `buildIndex` takes. */
  readonly packs: IndexPack[];
  /** Packs that are left out, by ascending name. */
  readonly damaged: DamagedPack[];
}

/**
 * Reads the tables of all packs of a store. A pack that is damaged is reported
 * and left out; an error of the store ends it.
 *
 * @param store The store
 * @param options What hashes, what ends the wait
 * @returns The packs, from which `buildIndex` makes an index
 * @throws {StoreError} If the store fails
 *
 * @example
 * ```ts
 * import { buildIndex } from "@snap/pack/index-writer";
 * import { rebuildIndex } from "@snap/pack/index-writer";
 * import { MemoryStore } from "@snap/store/memory";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { equal } from "node:assert/strict";
 *
 * const hasher = wasmHasher;
 * const { packs, damaged } = await rebuildIndex(new MemoryStore(), { hasher });
 * equal(damaged.length, 0);
 * const tables = buildIndex(packs, {
 *   saveId: new Uint8Array(16),
 *   salt: crypto.getRandomValues(new Uint8Array(32)),
 *   timeMs: Date.now(),
 *   hasher,
 * });
 * equal(tables.length, 0);
 * ```
 */
export async function rebuildIndex(
  store: ReadStore,
  options: RebuildIndexOptions,
): Promise<RebuiltIndex> {
  const range = signalOf(options);
  const entries: StoreEntry[] = [];
  for await (const batch of store.list(PACK_PREFIX, range)) {
    entries.push(...batch);
  }
  entries.sort((a, b) => a.name < b.name ? -1 : 1);
  const packs: IndexPack[] = [];
  const damaged: DamagedPack[] = [];
  for (let i = 0; i < entries.length; i += READS_AT_ONCE) {
    const some = entries.slice(i, i + READS_AT_ONCE);
    const reads = some.map((entry) => tryPack(store, entry, options));
    await Promise.allSettled(reads); // Whoever started work waits for its end.
    for (const result of await Promise.all(reads)) {
      if ("error" in result) damaged.push(result);
      else packs.push(result);
    }
  }
  return { packs, damaged };
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
  options: RebuildIndexOptions,
): Promise<IndexPack> {
  const { name, size } = entry;
  const range = signalOf(options);
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
    table: readPackTable(bytes, footer, options.hasher),
  };
}

async function tryPack(
  store: ReadStore,
  entry: StoreEntry,
  options: RebuildIndexOptions,
): Promise<IndexPack | DamagedPack> {
  try {
    return await readPack(store, entry, options);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof NotFoundError) {
      return { name: entry.name, error };
    }
    throw error;
  }
}

function signalOf(options: StoreOptions): StoreOptions {
  return options.signal === undefined ? {} : { signal: options.signal };
}
