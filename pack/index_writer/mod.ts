/**
 * The index as it is written: built of packs, merged of tables.
 *
 * @module
 */
export * from "./index_builder.ts";
export type { IndexPack, PageSteps } from "./index_run.ts";
export type {
  BuiltIndex,
  IndexOptions,
  IndexSink,
} from "./index_table_writer.ts";
export * from "./indexed_table.ts";
export * from "./read_packs.ts";
