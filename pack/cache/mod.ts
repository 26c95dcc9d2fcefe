/**
 * Decoded frames, in memory of one thread or of several.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export * from "./frame_cache.ts";
export {
  SharedFrameCache,
  type SharedFrameCacheOptions,
} from "./shared_frame_cache.ts";
export * from "./word_lock.ts";
