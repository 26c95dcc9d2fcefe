/**
 * Directories that snapshots reach, gone through once, and read ahead of a walk.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export * from "./directories_ahead.ts";
export * from "./id_set.ts";
export * from "./reach_walk.ts";
