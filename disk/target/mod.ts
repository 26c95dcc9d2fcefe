/**
 * A directory as it is written, never left.
 *
 * @module
 */
export type { HeldDirectory } from "../hold_directory.ts";
export type { FreshEntry } from "./fresh_entries.ts";
export * from "./open_target.ts";
export * from "./target.ts";
export * from "./target_attributes.ts";
export * from "./target_directories.ts";
export type { DeviceNumber, TargetEntries } from "./target_entries.ts";
export * from "./target_file.ts";
/** @internal */
export { holdDirectory } from "../hold_directory.ts";
/** @internal */
export { isTemporaryName } from "./target_entries.ts";
