/**
 * A store in a folder of a local disk, and how it is found.
 *
 * @module
 */
export type { FileStore } from "./file_store.ts";
export * from "./find_store.ts";
export * from "./open_file_store.ts";
export type { OpenFileStoreOptions } from "./open_over_calls.ts";
export { storeFailure } from "./store_failure.ts";
