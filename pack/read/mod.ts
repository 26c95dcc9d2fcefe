/**
 * Objects read from a store: located, decoded, checked once, other copies tried.
 *
 * @module
 */
export {
  type MissingOptions,
  type MoreTables,
  type NamedPacks,
  type ReadMore,
  StoreIndex,
  type StoreIndexOptions,
  type TablesToCome,
  type UnnamedFound,
  type UnnamedPacks,
  type UnnamedPacksOptions,
} from "../index/open_index.ts";
export type { AwaitedRanges, Ranges } from "../ranges/ranges.ts";
export * from "./content_reader.ts";
export {
  openStoreReader,
  type ReadObjectOptions,
  StoreReader,
  type StoreReaderOptions,
} from "./store_reader.ts";
/** @internal */
export {
  HeapFrameCache,
  type HeapFrameCacheOptions,
} from "../cache/heap_frame_cache.ts";
/** @internal */
export { openIndex, type OpenIndexOptions } from "../index/open_index.ts";
/** @internal */
export {
  type FileCalls,
  FILES_OPEN_MAX,
  LocalRanges,
  type LocalRangesOptions,
} from "../ranges/local_ranges.ts";
/** @internal */
export {
  localPrefix,
  type OpenRanges,
  openRanges,
  type OpenRangesOptions,
} from "../ranges/open_ranges.ts";
/** @internal */
export { takeRange, takeSound } from "../ranges/ranges.ts";
/** @internal */
export type { RemoteRangesOptions } from "../ranges/remote_ranges.ts";
/** @internal */
export { contextOf, ObjectCheck } from "./check_object.ts";
/** @internal */
export { hashRows, type HashRowsOptions, hashZeros } from "./hash_rows.ts";
/** @internal */
export { ObjectReader, type ObjectReaderOptions } from "./object_reader.ts";
/** @internal */
export { type RecipeRow, recipeRows } from "./recipe_rows.ts";
