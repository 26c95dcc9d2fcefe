/**
 * Objects for those who may not wait: what is not here yet is asked for again.
 *
 * @module
 */
export * from "./ranges/fetch_memory.ts";
export * from "./ranges/fetched_ranges.ts";
export * from "./ranges/local_ranges.ts";
export type * from "./ranges/ranges.ts";
export * from "./read/objects.ts";
export * from "./read/table_list.ts";
