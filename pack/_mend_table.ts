import type { Hasher } from "@snap/hash/hasher";
import {
  NotFoundError,
  StoreError,
  UnsupportedVersionError,
} from "@snap/store/errors";
import type { ReadStore, StoreOptions } from "@snap/store/store";
import {
  type BuiltIndex,
  type IndexPack,
  type IndexSink,
  mergeIndex,
} from "./index_builder.ts";
import { decodeIndexHead } from "./index_table.ts";
import { type IndexedPack, isPageRequest } from "./location.ts";
import { type IndexFile, ObjectIndex } from "./object_index.ts";
import { readPack } from "./rebuild_index.ts";

/** A table that is in memory alone. */
export interface MendedTable extends IndexFile {
  /** All its bytes. */
  readonly bytes: Uint8Array;
}

/**
 * Builds a table again in memory, from the packs that it names.
 *
 * @param store The store
 * @param file The table of which a page is damaged
 * @param options What hashes, what ends the wait
 * @returns The new table, which replaces the other; `undefined` where the other
 * does not say which packs it names, or one of them is damaged or gone: what it
 * holds would pass for absent
 */
export async function mendTable(
  store: ReadStore,
  file: IndexFile,
  options: StoreOptions & { readonly hasher: Hasher },
): Promise<MendedTable | undefined> {
  const { hasher } = options;
  const packs: IndexPack[] = [];
  try {
    for (const { packName: name, packSize } of await packsOf(store, file)) {
      const size = await store.size(name);
      if (size !== packSize) return undefined;
      packs.push(await readPack(store, { name, size }, options));
    }
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
  const sink = new MemorySink();
  // Nobody else ever sees this table: it needs no name of its own.
  const result = mergeIndex({ packs, replaced: [file.name] }, sink, {
    saveId: new Uint8Array(16),
    salt: new Uint8Array(32),
    timeMs: 0,
    hasher,
  }).next();
  if (!result.done || result.value.length !== 1) return undefined;
  const [{ name, size }] = result.value;
  const bytes = sink.bytes(size);
  return { name, size, bytes, head: decodeIndexHead(bytes, size, hasher) };
}

async function packsOf(
  store: ReadStore,
  file: IndexFile,
): Promise<IndexedPack[]> {
  const index = new ObjectIndex();
  index.addTables([file]);
  const packs: IndexedPack[] = [];
  while (packs.length < index.packCount) {
    const answer = index.packAt(packs.length)!;
    if (isPageRequest(answer)) {
      const { name, offset, length } = answer;
      index.give(answer, await store.read(name, { offset, length }));
    } else packs.push(answer);
  }
  return packs;
}

function isDamage(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof NotFoundError ||
    error instanceof UnsupportedVersionError ||
    (error instanceof StoreError && error.code === "SHORT");
}

/** Takes the one table that there is. */
class MemorySink implements IndexSink {
  readonly #parts: Uint8Array[] = [];

  write(bytes: Uint8Array): void {
    this.#parts.push(bytes.slice());
  }

  end(_table: BuiltIndex): void {}

  bytes(size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}
