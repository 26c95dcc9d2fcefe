/**
 * Large content read by its recipe, from start to end, by a thread that may not wait.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export { blocksOf, FetchMemory } from "./ranges/fetch_memory.ts";
export * from "./ranges/fetched_ranges.ts";
export * from "./ranges/local_ranges.ts";
export * from "./ranges/node_files.ts";
export type * from "./ranges/ranges.ts";
export * from "./read/check_object.ts";
export { SPARSE_PART } from "./recipe/mostly_zeros.ts";
export { PASSED_HOLE_MIN } from "./recipe/pass_hole.ts";
export * from "./recipe/recipe_content.ts";
