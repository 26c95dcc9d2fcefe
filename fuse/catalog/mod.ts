/**
 * The directories that a mount of all snapshots shows.
 *
 * @module
 */
export * from "./catalog_source.ts";
