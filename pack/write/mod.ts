/**
 * Objects written into a store: the writer and its sinks, and what they are made
 * of: frames, packs, tables, footers.
 *
 * @module
 */
export * from "./claim_table.ts";
export type { FrameRows } from "./frame_builder.ts";
export type { RepairOptions } from "./index_repair.ts";
export * from "./object_sink.ts";
export * from "./object_writer.ts";
export * from "./open_object_writer.ts";
export type { FinishedPackFile, PackTarget } from "./pack_files.ts";
export { PackTable, type PackTableShape } from "./pack_table.ts";
export * from "./pack_writer.ts";
export type {
  CheckedFrame,
  EncodedNode,
  ObjectTarget,
  SinkConfig,
  SinkTools,
  WriterMode,
} from "./sink_config.ts";
export type { StoreState } from "./store_state.ts";
export type { IndexConfig, LocalTable } from "./stored_objects.ts";
export { WriterLease, type WriterLeaseOptions } from "./writer_lease.ts";
/** @internal */
export { dropPacks, type DropPacksOptions } from "./drop_packs.ts";
/** @internal */
export { FrameBuilder } from "./frame_builder.ts";
/** @internal */
export {
  type IndexedStore,
  type IndexedUnnamed,
  repairTable,
  replaceTables,
} from "./index_repair.ts";
/** @internal */
export { type PackPart, rowsByFrame } from "./join_packs.ts";
/** @internal */
export { randomBytes } from "./pack_files.ts";
/** @internal */
export {
  decodePackFooter,
  FRAME_ROW_SIZE,
  OBJECT_ROW_SIZE,
  PACK_FOOTER_SIZE,
  PACK_HEADER_SIZE,
  type PackFooter,
} from "./pack_footer.ts";
/** @internal */
export { readPackTable } from "./pack_table.ts";
/** @internal */
export {
  type LackingObject,
  RecipeProof,
  type RecipeProofParts,
} from "./recipe_proof.ts";
/** @internal */
export type { NewCounts } from "./sink_config.ts";
/** @internal */
export {
  type IndexedState,
  type IndexedStateOptions,
  openIndexedState,
  openStoreState,
  type StoreStateOptions,
} from "./store_state.ts";
/** @internal */
export { openWriterLease } from "./writer_lease.ts";
