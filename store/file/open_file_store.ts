/**
 * A store in a folder of a local disk.
 *
 * @module
 */
import { fileCalls } from "./file_calls.ts";
import { openOverCalls } from "./open_over_calls.ts";
import type { PruneStore } from "../store.ts";

/** A store in a folder. Its files are 0600, its folders 0700. */
export interface FileStore extends PruneStore {
  /** Absolute path of the folder. */
  readonly path: string;
  /**
   * The file that holds a name.
   *
   * @param name The name, which need not exist.
   * @returns An absolute path.
   * @throws {RangeError} If it is no name.
   */
  localPath(name: string): string;
  /**
   * Where a file for `adopt` is cheapest to make: below `tmp/`, on the same disk.
   *
   * @param saveId The save id, 32 hex digits.
   * @returns An absolute path that no other call gets. No file is there yet.
   * @throws {RangeError} If this is no save id.
   * @throws {StoreError} If `tmp/` is absent and cannot be made.
   */
  spoolPath(saveId: string): Promise<string>;
}

/** Options of {@link openFileStore}. */
export interface OpenFileStoreOptions {
  /** Makes the folders of a store where they are absent. Default false. */
  readonly create?: boolean;
}

/**
 * Opens a folder as a store. To make a new one, open it with `create` and call
 * `initStore`, which writes its config.
 *
 * Opening to read writes nothing, so a disk that is read-only will do.
 *
 * @example A new store
 * ```ts
 * import { openFileStore } from "@snap/store/file";
 * import { initStore } from "@snap/store/format";
 * import { mkdtempSync, rmSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/snap-example-");
 * const store = await openFileStore(`${folder}/store`, { create: true });
 * await initStore(store, {});
 * await store.create("index/aa", new Uint8Array(3));
 * rmSync(folder, { recursive: true });
 * ```
 *
 * @param path The folder.
 * @param options Whether to make it.
 * @returns The store.
 * @throws {NotAStoreError} If the folder is absent, has no config, or is to be made a store but holds other files.
 * @throws {UnsupportedVersionError} If a newer program made the store.
 * @throws {DocumentSyntaxError} If its config is damaged.
 * @throws {StoreError} If the disk fails, refuses or is full.
 */
export async function openFileStore(
  path: string,
  options?: OpenFileStoreOptions,
): Promise<FileStore> {
  return await openOverCalls(await fileCalls(), path, options);
}
