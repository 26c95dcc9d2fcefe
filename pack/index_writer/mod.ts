/**
 * The index as it is written: built of packs, merged of tables.
 *
 * @module
 */
export { buildIndex } from "./index_builder.ts";
export type { IndexPack } from "./index_run.ts";
export type { BuiltIndex, IndexOptions } from "./index_table_writer.ts";
export type { DamagedPack } from "./read_packs.ts";
/** @internal */
export { writeIndex } from "./index_builder.ts";
/** @internal */
export type { IndexSink } from "./index_table_writer.ts";
/** @internal */
export { type ClaimedPack, readIndexedTable } from "./indexed_table.ts";
/** @internal */
export {
  type PackTables,
  readPack,
  readPacks,
  type ReadPacksOptions,
} from "./read_packs.ts";
