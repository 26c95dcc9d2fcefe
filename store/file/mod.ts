/**
 * A store in a folder of a local disk, and how it is found.
 *
 * @module
 */
export * from "./find_store.ts";
export * from "./open_file_store.ts";
