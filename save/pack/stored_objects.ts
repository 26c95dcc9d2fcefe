import type { Hasher } from "@snap/hash";
import { type IndexFiles, openIndexFiles, PackSet } from "@snap/pack/index";
import { FileRanges } from "@snap/pack/ranges";
import type { KnownObjects } from "./content_packer.ts";
import type { IndexFile } from "../messages.ts";

/** What {@linkcode KnownIndex} needs. */
export interface KnownIndexOptions {
  readonly indexTables: readonly IndexFile[];
  /** The packs that are there, as a `PackSet`; absent if all are. */
  readonly presentPacks?: Uint8Array;
  readonly hasher: Hasher;
}

/** The index tables of a store, read page by page from their files. */
export class KnownIndex implements KnownObjects, Disposable {
  readonly isHealthy: boolean;
  readonly #files: FileRanges;
  readonly #index: IndexFiles | undefined;

  /**
   * Opens the tables: reads the head of each.
   *
   * @param options Which, and which packs are there.
   */
  constructor(options: KnownIndexOptions) {
    const { indexTables, presentPacks, hasher } = options;
    this.isHealthy = presentPacks === undefined;
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

  /** @inheritDoc */
  has(id: Uint8Array, offset: number, kind: number): boolean {
    return this.#index?.locate(id, offset, kind) !== undefined;
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
  }
}
