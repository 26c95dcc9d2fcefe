/**
 * Directories of the operating system, read and written.
 *
 * @module
 */
export * from "./disk_calls.ts";
export * from "./disk_error.ts";
export * from "./ignore_rules.ts";
export * from "./node_calls.ts";
export * from "./open_target.ts";
export * from "./owners.ts";
export * from "./source.ts";
export * from "./source_directory.ts";
export * from "./source_file.ts";
export * from "./target.ts";
export * from "./target_attributes.ts";
export { type TargetDirectory } from "./target_directories.ts";
export { type TargetEntries } from "./target_entries.ts";
export { TargetFile } from "./target_file.ts";
export * from "./xattrs.ts";
