/**
 * A directory becomes a snapshot.
 *
 * The parts have entry points of their own:
 *
 * - `@snap/save/content`: content is named, cut where it is large, and stored
 * - `@snap/save/draft`: a snapshot put together of entries in any order
 * - `@snap/save/entries`: a snapshot of what a program has in memory
 * - `@snap/save/identify`
 * - `@snap/save/objects`: content under its id, without files and trees
 * - `@snap/save/rows`: what a save has seen, kept for the next one
 * - `@snap/save/worker`
 *
 * @module
 */
export type * from "./change_finder.ts";
export * from "./options.ts";
export * from "./overlay/overlay_error.ts";
export * from "./progress.ts";
export * from "./save.ts";
export * from "./saved_fields.ts";
export * from "./save_memory.ts";
export type * from "./source_report.ts";
export type * from "./walk/known_changes.ts";
export type * from "./walk/row_recorder.ts";
