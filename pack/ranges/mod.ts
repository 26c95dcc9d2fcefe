/**
 * Files of a store, and of a save that writes one, by their paths.
 *
 * @module
 */
export { blocksOf } from "./fetch_memory.ts";
export * from "./fetcher.ts";
export * from "./open_file_ranges.ts";
export * from "./store_file_error.ts";
export * from "./worker_source.ts";
export type { FetchWant } from "./fetched_ranges.ts";
