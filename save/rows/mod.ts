/**
 * What a save has seen, kept for the next one.
 *
 * @module
 */
export * from "./stat_cache.ts";
