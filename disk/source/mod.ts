/**
 * A directory as it is read: walked, listed, described.
 *
 * @module
 */
export type { FileIdentity } from "../file_identity.ts";
export { openSource, type Source, type SourceOptions } from "./source.ts";
export * from "./source_directory.ts";
export type { OnDirectory, SourceDrops } from "./source_walk.ts";
/** @internal */
export { identifyPath } from "./source.ts";
/** @internal */
export {
  isSame,
  liesInStore,
  type StorePlace,
  storePlace,
} from "../store_place.ts";
