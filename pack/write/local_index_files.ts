import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ReadStore, StoreOptions } from "@snap/store";
import { SpoolFile } from "./spool_file.ts";
import type { LocalTable } from "./stored_objects.ts";
import { removeQuietly } from "@snap/store/owner";
import { spooling } from "../ranges/store_file_error.ts";

/** Bytes of a table that are copied at once. */
const PART_SIZE = 16 << 20;

/** A table of the index. */
export interface StoredTable {
  /** Its name in the store. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
  /** All its bytes, where they are in memory. */
  readonly bytes?: Uint8Array | undefined;
}

/** The files of index tables, where workers can open them. */
export class LocalIndexFiles implements Disposable {
  readonly #store: ReadStore;
  #files: LocalTable[] = [];
  #folder: string | undefined;
  #copyCount = 0;
  /** Copies of replaced tables: what was handed out last may name them, or only what was before. */
  #replaced: string[] = [];
  #forgotten: string[] = [];

  /**
   * Has no files yet.
   *
   * @param store The store of the tables.
   */
  constructor(store: ReadStore) {
    this.#store = store;
  }

  /** The files of the tables that count. */
  get files(): readonly LocalTable[] {
    return this.#files;
  }

  /**
   * Gives the files to those who open them. Whoever was given others before the
   * last call must have opened newer ones since.
   *
   * @returns The files as they are now.
   */
  handOut(): readonly LocalTable[] {
    for (const path of this.#forgotten) removeQuietly(path);
    this.#forgotten = this.#replaced;
    this.#replaced = [];
    return this.#files.slice();
  }

  /** Takes tables out that others have replaced. */
  remove(tables: Iterable<{ readonly name: string }>): void {
    const names = new Set(Array.from(tables, ({ name }) => name));
    for (const { name, path } of this.#files) {
      if (this.#folder === undefined || !names.has(name)) continue;
      if (dirname(path) === this.#folder) this.#replaced.push(path);
    }
    this.#files = this.#files.filter(({ name }) => !names.has(name));
  }

  /** Adds index tables; copies them if they lie elsewhere. */
  async add(
    tables: Iterable<StoredTable>,
    options?: StoreOptions,
  ): Promise<void> {
    for (const table of tables) {
      const { name, size } = table;
      const path = this.#store.localPath?.(name) ??
        await this.#copy(table, options);
      this.#files.push({ name, size, path });
    }
  }

  /** Removes copies. */
  [Symbol.dispose](): void {
    if (this.#folder === undefined) return;
    try {
      rmSync(this.#folder, { recursive: true, force: true });
    } catch {
      // They are copies, where the system keeps what may be lost.
    }
  }

  /** Copies a table part by part: it may be larger than memory. */
  async #copy(
    { name, size, bytes }: StoredTable,
    options?: StoreOptions,
  ): Promise<string> {
    const folder = this.#folder ??= spooling(
      tmpdir(),
      () => mkdtempSync(join(tmpdir(), "snap-index-")),
    );
    const file = new SpoolFile(join(folder, `${this.#copyCount++}`));
    try {
      for (let offset = 0; offset < size; offset += PART_SIZE) {
        const length = Math.min(PART_SIZE, size - offset);
        const range = { ...options, offset, length };
        file.write(
          bytes?.subarray(offset, offset + length) ??
            await this.#store.read(name, range),
        );
      }
      file.close();
      return file.path;
    } catch (error) {
      file.discard();
      throw error;
    }
  }
}
