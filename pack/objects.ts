/**
 * Objects for those who may not wait: what is not here yet is asked for again.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export { blocksOf, FetchMemory } from "./ranges/fetch_memory.ts";
export * from "./ranges/fetched_ranges.ts";
export * from "./ranges/local_ranges.ts";
export type * from "./ranges/ranges.ts";
export * from "./read/objects.ts";
export * from "./read/table_list.ts";
