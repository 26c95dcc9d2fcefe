/**
 * A directory becomes a snapshot.
 *
 * The parts have entry points of their own:
 *
 * - `@snap/save/identify`
 * - `@snap/save/worker`
 *
 * @module
 */
export * from "./options.ts";
export * from "./progress.ts";
export * from "./save.ts";
export type * from "./source_report.ts";
