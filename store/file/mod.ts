/**
 * A store in a folder of a local disk, and how it is found.
 *
 * @module
 */
export type { FileStore } from "./file_store.ts";
export {
  findStore,
  type FindStoreOptions,
  type FoundStore,
  type PassedStore,
  type StoreSource,
} from "./find_store.ts";
export * from "./open_file_store.ts";
export type { OpenFileStoreOptions } from "./open_over_calls.ts";
/** @internal */
export { STORE_FOLDER } from "./find_store.ts";
/** @internal */
export { storeFailure } from "./store_failure.ts";
