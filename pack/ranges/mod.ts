/**
 * Ranges of the files of a store.
 *
 * @module
 */
export * from "./local_ranges.ts";
export * from "./node_files.ts";
export * from "./open_file_ranges.ts";
export type * from "./ranges.ts";
export * from "./store_file_error.ts";
export * from "../recipe/recipe_content.ts";
