import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import type { Hasher } from "@snap/hash";
import {
  type BuiltIndex,
  type IndexPack,
  type IndexSink,
  mergeTables,
} from "@snap/pack/index-builder";
import { openIndexFiles } from "@snap/pack/index-files";
import type { WriteStore } from "@snap/store";
import { FileRanges } from "./_file_ranges.ts";
import type { IndexFile } from "./_save_messages.ts";

/** From so many small tables on, they are merged. */
const MERGE_COUNT = 8;
/** Larger tables are left alone. */
const MERGE_SIZE_MAX = 64 * 1024 * 1024;

/** What {@linkcode writeIndexTables} needs. */
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
  readonly merge: readonly IndexFile[];
}

/**
 * Writes index tables of new packs into a store. Many small tables that are
 * there already are merged with them.
 *
 * @param options The store and the packs.
 * @returns The tables.
 */
export async function writeIndexTables(
  options: WriteIndexOptions,
): Promise<BuiltIndex[]> {
  const { store, hasher, saveId, random, packs, timeMs } = options;
  const small = options.merge.filter(({ size }) => size <= MERGE_SIZE_MAX);
  const merged = small.length >= MERGE_COUNT ? small : [];
  using files = new FileRanges(merged);
  const { readAt } = files;
  const { index } = openIndexFiles({ tables: merged, readAt, hasher });
  const sink = new SpoolSink(options.spoolPath);
  try {
    const tables = mergeTables({ packs, files: index.tables }, sink, {
      saveId,
      salt: random(32),
      timeMs,
      hasher,
      readAt,
    });
    // In order: the last table says what all of them replace.
    for (const [i, table] of tables.entries()) {
      await store.adopt(table.name, sink.paths[i]);
    }
    return tables;
  } finally {
    sink.close();
    for (const path of sink.paths) rmSync(path, { force: true });
  }
}

class SpoolSink implements IndexSink {
  readonly paths: string[] = [];
  readonly #spoolPath: string;
  #descriptor = -1;

  constructor(spoolPath: string) {
    this.#spoolPath = spoolPath;
  }

  write(bytes: Uint8Array): void {
    if (this.#descriptor < 0) {
      const path = `${this.#spoolPath}-${this.paths.length}`;
      this.#descriptor = openSync(path, "wx", 0o600);
      this.paths.push(path);
    }
    let offset = 0;
    while (offset < bytes.length) {
      offset += writeSync(this.#descriptor, bytes, offset);
    }
  }

  end(): void {
    this.close();
  }

  close(): void {
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }
}
