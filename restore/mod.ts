/**
 * A snapshot becomes a directory.
 *
 * The parts have entry points of their own:
 *
 * - `@snap/restore/worker`
 *
 * @module
 */
export * from "./errors.ts";
export type * from "./known_directories.ts";
export * from "./progress.ts";
export * from "./restore.ts";
export * from "./swap.ts";
