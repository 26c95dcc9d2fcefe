/**
 * Files of a store, and of a save that writes one, by their paths.
 *
 * @module
 */
export * from "./open_file_ranges.ts";
export * from "./store_file_error.ts";
