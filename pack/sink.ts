/**
 * Objects in, pack files out: the half of the writer that each thread has.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export { Claim, ClaimTable } from "./write/claim_table.ts";
export * from "./write/object_sink.ts";
export type * from "./write/sink_config.ts";
export * from "./write/sink_failure.ts";
export type { FinishedPackFile, PackTarget } from "./write/pack_files.ts";
export type { IndexConfig, LocalTable } from "./write/stored_objects.ts";
