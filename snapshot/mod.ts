/**
 * Snapshots: a directory saved under one verified name, and brought back.
 *
 * @module
 */
export * from "./identify.ts";
export * from "./record.ts";
export * from "./records.ts";
export * from "./save.ts";
export * from "./save_progress.ts";
export * from "./settings.ts";
export * from "./snapshots.ts";
