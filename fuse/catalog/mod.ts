/**
 * The directories that a mount of all snapshots shows.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export * from "./catalog_source.ts";
