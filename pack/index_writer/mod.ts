/**
 * The index as it is written: built of packs, merged of tables.
 *
 * @module
 */
export * from "./index_builder.ts";
export * from "./rebuild_index.ts";
