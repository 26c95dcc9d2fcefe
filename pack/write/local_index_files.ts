import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { ReadStore, StoreOptions } from "@snap/store";
import type { LocalTable } from "./stored_objects.ts";
import { removeQuietly } from "@snap/store/owner";
import { spooling } from "../ranges/store_file_error.ts";

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
    for (const { name, size, bytes } of tables) {
      let path = this.#store.localPath?.(name);
      if (path === undefined) {
        const range = { ...options, offset: 0, length: size };
        const copied = bytes ?? await this.#store.read(name, range);
        path = this.#write(name, copied);
      }
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

  #write(name: string, bytes: Uint8Array): string {
    return spooling(tmpdir(), () => {
      this.#folder ??= mkdtempSync(join(tmpdir(), "snap-index-"));
      const path = join(this.#folder, basename(name));
      writeFileSync(path, bytes);
      return path;
    });
  }
}
