import { closeSync, openSync, readSync } from "node:fs";
import type { Hasher } from "@snap/hash";
import { type IndexFiles, openIndexFiles } from "@snap/pack/index-files";
import { PackSet } from "@snap/pack/pack-set";
import type { KnownObjects } from "./_object_saver.ts";
import type { IndexFile } from "./_save_messages.ts";

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
  readonly #descriptors = new Map<string, number>();
  readonly #index: IndexFiles | undefined;

  /**
   * Opens the tables: reads the head of each.
   *
   * @param options Which, and which packs are there.
   */
  constructor(options: KnownIndexOptions) {
    const { indexTables, presentPacks, hasher } = options;
    this.isHealthy = presentPacks === undefined;
    if (indexTables.length === 0) return;
    for (const { name, path } of indexTables) {
      this.#descriptors.set(name, openSync(path, "r"));
    }
    this.#index = openIndexFiles({
      tables: indexTables,
      readAt: (name, offset, out) => this.#readAt(name, offset, out),
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
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
    this.#descriptors.clear();
  }

  #readAt(name: string, offset: number, out: Uint8Array): void {
    const descriptor = this.#descriptors.get(name)!;
    let size = 0;
    while (size < out.length) {
      const read = readSync(
        descriptor,
        out,
        size,
        out.length - size,
        offset + size,
      );
      if (read === 0) {
        throw new RangeError(
          `Cannot read ${name} as it needs ${out.length} bytes at ${offset}: found ${size}`,
        );
      }
      size += read;
    }
  }
}
