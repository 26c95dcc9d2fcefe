/**
 * Directories that snapshots reach, read ahead of a walk.
 *
 * @module
 */
export * from "./directories_ahead.ts";
