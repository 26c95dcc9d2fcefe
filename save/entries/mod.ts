/**
 * A snapshot of what a program has in memory.
 *
 * @module
 */
export { EntryError } from "../draft/entry_error.ts";
export type { SavedEntries } from "../draft/save_draft.ts";
export type { ContentSource } from "../pack/write_content.ts";
export type * from "./entry_input.ts";
export * from "./save_entries.ts";
