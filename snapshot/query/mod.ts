/**
 * Snapshots compared, searched and listed.
 *
 * @module
 */
export * from "./diff.ts";
export type { ChangedEntry, EntryChange } from "./entry_changes.ts";
export * from "./find.ts";
export * from "./glob.ts";
export * from "./history.ts";
export * from "./manifest_text.ts";
