/**
 * What snapshots reach, read before it is come to.
 *
 * @module
 */
export * from "./directories_ahead.ts";
