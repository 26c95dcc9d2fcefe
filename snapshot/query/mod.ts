/**
 * Snapshots compared, searched and listed.
 *
 * @module
 */
export * from "./diff.ts";
export type { ChangedEntry, EntryChange } from "./entry_changes.ts";
export { find, type FindOptions, type FindTime } from "./find.ts";
export * from "./history.ts";
export * from "./manifest_text.ts";
/** @internal */
export { patternOptions } from "./find.ts";
/** @internal */
export { Glob } from "./glob.ts";
