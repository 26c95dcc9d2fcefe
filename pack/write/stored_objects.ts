import type { Hasher } from "@snap/hash";
import { type IndexFiles, openIndexFiles } from "../index/index_files.ts";
import { PackSet } from "../index/pack_set.ts";
import { FileRanges } from "../ranges/open_file_ranges.ts";

/** The file of an index table. */
export interface LocalTable {
  /** Its name in the store. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
  /** Where it lies. */
  readonly path: string;
}

/** The index of a store, and its packs, when it was looked at. */
export interface IndexConfig {
  /** The index tables of the store. */
  readonly indexTables: readonly LocalTable[];
  /** The packs that count, as a `PackSet`; absent if all do that the index names. */
  readonly presentPacks?: Uint8Array;
}

/** Look-ups of objects that a store holds: its index tables, read page by page from their files. */
export class StoredObjects implements Disposable {
  readonly #files: FileRanges;
  readonly #index: IndexFiles | undefined;

  /**
   * Opens the tables: reads the head of each.
   *
   * @param config The tables, and the packs that are there.
   * @param hasher The hasher.
   */
  constructor({ indexTables, presentPacks }: IndexConfig, hasher: Hasher) {
    this.#files = new FileRanges(indexTables);
    if (indexTables.length === 0) return;
    this.#index = openIndexFiles({
      tables: indexTables,
      readAt: this.#files.readAt,
      hasher,
    });
    if (presentPacks !== undefined) {
      this.#index.index.setPresentPacks(new PackSet(presentPacks));
    }
  }

  /**
   * Looks an object up.
   *
   * @param id Bytes with the id.
   * @param offset The offset of the id in `id`.
   * @param kind The kind of the object.
   * @returns Whether a pack that is there holds it.
   */
  has(id: Uint8Array, offset: number, kind: number): boolean {
    return this.#index?.locate(id, offset, kind) !== undefined;
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
  }
}
