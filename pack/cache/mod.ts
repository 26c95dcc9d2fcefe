/**
 * Decoded frames, in memory of one thread or of several.
 *
 * @module
 */
export * from "./frame_cache.ts";
export * from "./shared_frame_cache.ts";
export * from "./word_lock.ts";
