/**
 * Files of a store, and of a save that writes one, by their paths.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export { blocksOf } from "./fetch_memory.ts";
export * from "./fetcher.ts";
export { spooling } from "./store_file_error.ts";
export * from "./worker_source.ts";
export type { FetchWant } from "./fetched_ranges.ts";
