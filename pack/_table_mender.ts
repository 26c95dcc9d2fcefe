import type { Hasher } from "@snap/hash/hasher";
import type { ReadStore, StoreOptions } from "@snap/store/store";
import type { MendedTable } from "./_mend_table.ts";
import type { IndexFile } from "./object_index.ts";

/** Objects in all tables that are built again: some 50 bytes of memory each, twice that meanwhile. */
const OBJECT_COUNT_MAX = 2 ** 20;

/** What {@linkcode TableMender} needs. */
export interface TableMenderOptions {
  readonly store: ReadStore;
  readonly hasher: Hasher;
  /** Told once of each table that was built again, and of the damage. */
  readonly onMend: (name: string, error: unknown) => void;
}

/** Builds damaged tables again in memory, each once for all who ask. */
export class TableMender {
  readonly #options: TableMenderOptions;
  readonly #pending = new Map<string, Promise<MendedTable | undefined>>();
  readonly #bytes = new Map<string, Uint8Array>();
  #objectCount = 0;

  constructor(options: TableMenderOptions) {
    this.#options = options;
  }

  /** The bytes of a table that was built here. */
  bytesOf(name: string): Uint8Array | undefined {
    return this.#bytes.get(name);
  }

  /** The table in place of a damaged one; `undefined` where it cannot be built, or is too large. */
  async mend(
    file: IndexFile,
    error: unknown,
    options: StoreOptions,
  ): Promise<MendedTable | undefined> {
    let table = this.#pending.get(file.name);
    if (table === undefined) {
      const { objectCount } = file.head;
      if (this.#objectCount + objectCount > OBJECT_COUNT_MAX) return undefined;
      this.#objectCount += objectCount;
      table = this.#build(file, error, options);
      this.#pending.set(file.name, table);
      // One that was interrupted, or met a store that failed, may be tried again.
      table.catch(() => {
        this.#pending.delete(file.name);
        this.#objectCount -= objectCount;
      });
    }
    return await table;
  }

  async #build(
    file: IndexFile,
    error: unknown,
    options: StoreOptions,
  ): Promise<MendedTable | undefined> {
    const { store, hasher, onMend } = this.#options;
    const { mendTable } = await import("./_mend_table.ts");
    const table = await mendTable(store, file, { ...options, hasher });
    if (table === undefined) return undefined;
    this.#bytes.set(table.name, table.bytes);
    onMend(file.name, error);
    return table;
  }
}
