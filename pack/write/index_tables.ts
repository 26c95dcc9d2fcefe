import type { Hasher } from "@snap/hash";
import {
  type IndexSources,
  mergeIndex,
} from "../index_writer/index_builder.ts";
import type { IndexPack } from "../index_writer/index_run.ts";
import type { PackSet } from "../index/pack_set.ts";
import type {
  BuiltIndex,
  IndexOptions,
  IndexSink,
} from "../index_writer/index_table_writer.ts";
import { openIndexFiles, type ReadAt } from "../index/index_files.ts";
import { INDEX_PAGE_SIZE } from "../index/index_table.ts";
import { replacedTables } from "../index/index_file.ts";
import { Pacer } from "@snap/posix/pacer";
import type { WriteStore } from "@snap/store";
import { adoptFile } from "@snap/store/owner";
import { FileRanges } from "../ranges/open_file_ranges.ts";
import { SpoolFile } from "./spool_file.ts";
import type { LocalTable } from "./stored_objects.ts";

/** From so many small tables on, some of them are merged. */
const MERGE_COUNT = 8;
/** Larger tables are left alone. */
const MERGE_SIZE_MAX = 64 * 1024 * 1024;
/** The most bytes that are merged at once: it takes seconds, and memory for each frame. */
const MERGE_TOTAL_MAX = 512 * 1024 * 1024;

/** Cost of merging a page, in bytes read. */
const MERGE_COST = 4 * INDEX_PAGE_SIZE;

/** Options of {@linkcode writeIndexTables}. */
export interface WriteIndexOptions {
  readonly store: WriteStore;
  readonly hasher: Hasher;
  readonly saveId: Uint8Array;
  readonly random: (size: number) => Uint8Array;
  readonly timeMs: number;
  readonly spoolPath: string;
  /** The packs that no table tells of yet. */
  readonly packs: readonly IndexPack[];
  /** The tables that are there, of which small ones may be merged. */
  readonly merge: readonly LocalTable[];
  /** Names of tables that are damaged, and of which `packs` are all packs. */
  readonly replaced?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** Result of {@linkcode writeIndexTables}. */
export interface WrittenIndex {
  readonly tables: readonly BuiltIndex[];
  readonly replaced: readonly LocalTable[];
}

/**
 * Writes index tables of new packs into a store. Many small tables that are
 * there already are merged with them. Rows of lost packs stay: records may rely
 * on them, and must not be believed.
 *
 * @param options The store and the packs.
 * @returns The new tables, and those that they replace.
 */
export async function writeIndexTables(
  options: WriteIndexOptions,
): Promise<WrittenIndex> {
  return await mergeIndexTables({
    ...options,
    merge: similarTables(options.merge),
  });
}

/**
 * Writes index tables of new packs into a store, merged with others.
 *
 * @param options The store, the packs and the tables, which are all replaced.
 * @returns The new tables, and those that they replace.
 */
export async function mergeIndexTables(
  options: WriteIndexOptions & {
    /** The packs that are there: rows of others are left out. Default: all. */
    readonly present?: PackSet;
  },
): Promise<WrittenIndex> {
  const { store, hasher, saveId, random, packs, timeMs, signal } = options;
  const { merge: merged, present } = options;
  const files = new FileRanges(merged);
  const { readAt } = files;
  const sink = new SpoolSink(options.spoolPath);
  try {
    const { tables: old } =
      openIndexFiles({ tables: merged, readAt, hasher }).index;
    // Also what the old ones replace, so that nobody has to read these to know it.
    const replaced = [...options.replaced ?? [], ...replacedTables(old)];
    const tables = await merge({ packs, files: old, replaced }, sink, {
      signal,
      present,
      saveId,
      salt: random(32),
      timeMs,
      hasher,
      readAt,
    });
    // In order: the last table says what all of them replace.
    for (const [i, table] of tables.entries()) {
      const { path } = sink.files[i];
      await adoptFile(store, { name: table.name, path }, { signal });
    }
    return { tables, replaced: merged };
  } finally {
    sink.discard();
    files[Symbol.dispose]();
  }
}

/** Merges, and lets others have their turn: it may take seconds. */
async function merge(
  sources: IndexSources,
  sink: IndexSink,
  options: IndexOptions & {
    readonly readAt: ReadAt;
    readonly signal: AbortSignal | undefined;
  },
): Promise<BuiltIndex[]> {
  const page = new Uint8Array(INDEX_PAGE_SIZE);
  const pacer = new Pacer({ signal: options.signal });
  const steps = mergeIndex(sources, sink, options);
  for (let step = steps.next();; step = steps.next(page)) {
    if (step.done) return step.value;
    options.readAt(step.value.name, step.value.offset, page);
    const turn = pacer.yield(MERGE_COST);
    if (turn !== undefined) await turn;
  }
}

/** Picks small tables of similar sizes: what has grown large is rarely written again. */
function similarTables(tables: readonly LocalTable[]): LocalTable[] {
  const small = tables.filter(({ size }) => size <= MERGE_SIZE_MAX);
  if (small.length < MERGE_COUNT) return [];
  small.sort((a, b) => a.size - b.size);
  let count = 0, size = 0;
  for (const next of small) {
    const isSimilar = count < 2 || next.size <= 2 * size;
    if (!isSimilar || size + next.size > MERGE_TOTAL_MAX) break;
    size += next.size;
    count++;
  }
  return small.slice(0, count);
}

class SpoolSink implements IndexSink {
  readonly files: SpoolFile[] = [];
  readonly #spoolPath: string;
  #file: SpoolFile | undefined;

  constructor(spoolPath: string) {
    this.#spoolPath = spoolPath;
  }

  write(bytes: Uint8Array): void {
    if (this.#file === undefined) {
      this.#file = new SpoolFile(`${this.#spoolPath}-${this.files.length}`);
      this.files.push(this.#file);
    }
    this.#file.write(bytes);
  }

  end(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  discard(): void {
    for (const file of this.files) file.discard();
  }
}
