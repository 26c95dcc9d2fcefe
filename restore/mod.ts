/**
 * A snapshot becomes a directory.
 *
 * @module
 */
export * from "./errors.ts";
export type * from "./known_directories.ts";
export * from "./progress.ts";
export * from "./restore.ts";
export * from "./swap.ts";
