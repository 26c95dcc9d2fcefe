/**
 * A directory becomes a snapshot.
 *
 * The parts have entry points of their own:
 *
 * - `@snap/save/entries`: a snapshot of what a program has in memory
 * - `@snap/save/identify`: the id of a directory, without a store
 * - `@snap/save/objects`: content under its id, without files and trees
 * - `@snap/save/rows`: what a save has seen, kept for the next one
 *
 * @module
 */
export type * from "./change_finder.ts";
export * from "./options.ts";
export * from "./overlay/overlay_error.ts";
export * from "./progress.ts";
export * from "./save.ts";
export * from "./save_memory.ts";
export type * from "./source_report.ts";
export type * from "./walk/known_changes.ts";
export type * from "./walk/row_recorder.ts";
/** @internal */
export { savedFields } from "./saved_fields.ts";
