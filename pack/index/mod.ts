/**
 * The index as it is looked into: tables, pages, sets of packs.
 *
 * @module
 */
export * from "./index_file.ts";
export * from "./index_files.ts";
export * from "./index_reader.ts";
export * from "./index_table.ts";
export * from "./object_index.ts";
export * from "./pack_set.ts";
