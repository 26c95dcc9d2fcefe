import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { INDEX_PREFIX } from "@snap/pack/file-name";
import type { ReadStore, StoreOptions } from "@snap/store";
import type { IndexFile } from "./_save_messages.ts";

/** The files of index tables, where workers can open them. */
export class LocalIndexFiles implements Disposable {
  readonly files: readonly IndexFile[];
  readonly #folder: string | undefined;

  private constructor(files: readonly IndexFile[], folder?: string) {
    this.files = files;
    this.#folder = folder;
  }

  /**
   * Finds the index tables of a store; copies them if they lie elsewhere.
   *
   * @param store The store.
   * @param options A signal.
   * @returns The files.
   */
  static async open(
    store: ReadStore,
    options?: StoreOptions,
  ): Promise<LocalIndexFiles> {
    const files: IndexFile[] = [];
    let folder: string | undefined;
    for await (const batch of store.list(INDEX_PREFIX, options)) {
      for (const { name, size } of batch) {
        let path = store.localPath?.(name);
        if (path === undefined) {
          folder ??= mkdtempSync(join(tmpdir(), "snap-index-"));
          path = join(folder, basename(name));
          writeFileSync(path, await store.read(name, options));
        }
        files.push({ name, size, path });
      }
    }
    files.sort((a, b) => a.name < b.name ? -1 : 1);
    return new LocalIndexFiles(files, folder);
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
  for (const name of readdirSync(folder)) {
    if (name.startsWith(prefix)) rmSync(join(folder, name), { force: true });
  }
}
