import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { ReadStore, StoreOptions } from "@snap/store";
import type { IndexFile } from "./_save_messages.ts";

/** The files of index tables, where workers can open them. */
export class LocalIndexFiles implements Disposable {
  /** The files so far. */
  readonly files: IndexFile[] = [];
  readonly #store: ReadStore;
  #folder: string | undefined;

  /**
   * Constructs a new instance, with no files.
   *
   * @param store The store of the tables.
   */
  constructor(store: ReadStore) {
    this.#store = store;
  }

  /**
   * Adds index tables; copies them if they lie elsewhere.
   *
   * @param tables The tables.
   * @param options A signal.
   */
  async add(
    tables: Iterable<{ readonly name: string; readonly size: number }>,
    options?: StoreOptions,
  ): Promise<void> {
    for (const { name, size } of tables) {
      let path = this.#store.localPath?.(name);
      if (path === undefined) {
        this.#folder ??= mkdtempSync(join(tmpdir(), "snap-index-"));
        path = join(this.#folder, basename(name));
        writeFileSync(path, await this.#store.read(name, options));
      }
      this.files.push({ name, size, path });
    }
  }

  /** Removes copies. */
  [Symbol.dispose](): void {
    if (this.#folder !== undefined) {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}

/**
 * Removes the files that a save has made beside a spool path.
 *
 * @param spoolPath The beginning of their paths.
 */
export function removeSpooled(spoolPath: string): void {
  const folder = dirname(spoolPath), prefix = `${basename(spoolPath)}-`;
  try {
    for (const name of readdirSync(folder)) {
      if (name.startsWith(prefix)) rmSync(join(folder, name), { force: true });
    }
  } catch {
    // Where files cannot be removed none could be made, and that was thrown.
  }
}
