/**
 * Objects read from a store: located, decoded, checked once, other copies tried.
 *
 * @module
 */
export * from "../cache/heap_frame_cache.ts";
export * from "../index/open_index.ts";
export * from "../ranges/local_ranges.ts";
export * from "../ranges/open_ranges.ts";
export * from "../ranges/ranges.ts";
export * from "../ranges/remote_ranges.ts";
export * from "./check_object.ts";
export * from "./content_reader.ts";
export * from "./hash_rows.ts";
export * from "./object_copies.ts";
export * from "./object_reader.ts";
export * from "./recipe_rows.ts";
export * from "./store_reader.ts";
