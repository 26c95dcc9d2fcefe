/**
 * A cache of a store that is far away, in a folder of a local disk.
 *
 * It holds what never changes: records, the index, and what was read of packs.
 * Its bytes are checked like those of any store; a reader that finds damage asks with
 * `isFresh`, and gets the bytes of the store itself.
 *
 * @module
 */
export {
  CacheStore,
  type CacheStoreOptions,
  openCacheStore,
} from "./cache_store.ts";
export type { CacheFigures } from "./figures.ts";
/** @internal */
export { cacheFolder } from "./cache_store.ts";
