/**
 * Builds index tables of the tables of packs, and merges index tables.
 *
 * @module
 */
import { compareIds, ID_SIZE } from "../bytes.ts";
import { IndexMerge } from "./index_merge.ts";
import { type IndexPack, IndexRun, type PageSteps } from "./index_run.ts";
import {
  type BuiltIndex,
  type IndexOptions,
  type IndexSink,
  IndexTableWriter,
} from "./index_table_writer.ts";
import { indexIdOf } from "../file_name.ts";
import type { IndexFile } from "../index/index_file.ts";

/** Largest size in bytes of a table that is written. */
export const INDEX_WRITE_SIZE_MAX: number = 1 << 30;

/** Sources of index tables: packs, and other tables. */
export interface IndexSources {
  /** Packs with their tables. */
  readonly packs?: Iterable<IndexPack>;
  /** Index tables, which the new ones replace. */
  readonly files?: Iterable<IndexFile>;
  /** Names of further tables that the new ones replace, as `packs` hold all that they tell of. */
  readonly replaced?: Iterable<string>;
}

/**
 * Merges packs and index tables into new tables, without I/O: a generator that
 * yields requests for pages, and is given their bytes. Where all fits into one
 * table there is one, else each holds a range of ids.
 *
 * @param sources Packs and tables
 * @param sink Where the new tables go
 * @param options Save id, salt, time, limits
 * @returns The new tables; the last one names those that they replace
 * @throws {IndexSyntaxError} If a table that is merged is damaged
 */
export function* mergeIndex(
  sources: IndexSources,
  sink: IndexSink,
  options: IndexOptions,
): PageSteps<BuiltIndex[]> {
  const files = [...sources.files ?? []];
  const runs = [...sources.packs ?? []].map((pack) => IndexRun.ofPack(pack));
  files.forEach((file, number) => runs.push(IndexRun.ofFile(file, number)));
  const merge = new IndexMerge(runs);
  yield* merge.begin(options.present);
  yield* merge.rewind(merge.positions());
  const sizeMax = options.sizeMax ?? INDEX_WRITE_SIZE_MAX;
  const writer = new IndexTableWriter(merge, sink, {
    ...options,
    sizeMax,
    replaces: idsOf([
      ...files.map(({ name }) => name),
      ...sources.replaced ?? [],
    ]),
  });
  const tables: BuiltIndex[] = [];
  if (merge.packCount === 0 && files.length === 0) return tables;
  do tables.push(yield* writer.write(tables.length)); while (
    merge.top !== undefined
  );
  return tables;
}

/**
 * Builds index tables of packs.
 *
 * @param packs The packs
 * @param sink Where the tables go
 * @param options Save id, salt, time, limits
 * @returns The tables, none where there are no packs
 */
export function writeIndex(
  packs: Iterable<IndexPack>,
  sink: IndexSink,
  options: IndexOptions,
): BuiltIndex[] {
  const result = mergeIndex({ packs }, sink, options).next();
  if (!result.done) throw new Error("Cannot build index as it needs a page");
  return result.value;
}

/**
 * Builds index tables of packs, in memory.
 *
 * @param packs The packs
 * @param options Save id, salt, time, limits
 * @returns The tables with their bytes, none where there are no packs
 *
 * @example
 * ```ts
 * import { buildIndex } from "@snap/pack/index-writer";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { equal } from "node:assert/strict";
 *
 * const tables = buildIndex([], {
 *   saveId: new Uint8Array(16),
 *   salt: crypto.getRandomValues(new Uint8Array(32)),
 *   timeMs: Date.now(),
 *   hasher: wasmHasher,
 * });
 * equal(tables.length, 0);
 * ```
 */
export function buildIndex(
  packs: Iterable<IndexPack>,
  options: IndexOptions,
): (BuiltIndex & { readonly bytes: Uint8Array })[] {
  const sink = new MemorySink();
  writeIndex(packs, sink, options);
  return sink.tables;
}

/** Collects tables in memory. */
class MemorySink implements IndexSink {
  readonly tables: (BuiltIndex & { readonly bytes: Uint8Array })[] = [];
  #parts: Uint8Array[] = [];

  write(bytes: Uint8Array): void {
    this.#parts.push(bytes.slice());
  }

  end(table: BuiltIndex): void {
    const bytes = new Uint8Array(table.size);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.tables.push({ ...table, bytes });
  }
}

/** Ids of tables, ascending. */
function idsOf(names: readonly string[]): Uint8Array {
  const ids = Array.from(new Set(names), (name) => {
    const id = indexIdOf(name);
    if (id === undefined) {
      throw new RangeError(
        `Cannot merge ${name} as its name is index/ and an id`,
      );
    }
    return id;
  });
  ids.sort((a, b) => compareIds(a, 0, b, 0));
  const bytes = new Uint8Array(ids.length * ID_SIZE);
  ids.forEach((id, i) => bytes.set(id, i * ID_SIZE));
  return bytes;
}
