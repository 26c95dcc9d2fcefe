/**
 * A store in a folder of a local disk.
 *
 * @module
 */
import { argumentError } from "@snap/hash";
import { fileCalls } from "./file_calls.ts";
import type { FileStore } from "./file_store.ts";
import { type OpenFileStoreOptions, openOverCalls } from "./open_over_calls.ts";

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
 * @throws {NotAStoreError} If the folder is absent, has no config, or is to be made a store but holds other files.
 * @throws {UnsupportedVersionError} If a newer program made the store.
 * @throws {DocumentSyntaxError} If its config is damaged.
 * @throws {StoreError} If the disk fails, refuses or is full.
 */
export async function openFileStore(
  path: string,
  options?: OpenFileStoreOptions,
): Promise<FileStore> {
  if (typeof path !== "string") {
    throw argumentError({ path }, { action: "open store", need: "text" });
  }
  return await openOverCalls(fileCalls(), path, options);
}
