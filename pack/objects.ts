/**
 * Objects for those who may not wait: what is not here yet is asked for again.
 *
 * @module
 */
export * from "./ranges/local_ranges.ts";
export type * from "./ranges/ranges.ts";
export * from "./read/objects.ts";
export * from "./read/table_list.ts";
