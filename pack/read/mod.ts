/**
 * Objects read from a store: located, decoded, checked once, other copies tried.
 *
 * @module
 */
export * from "../cache/heap_frame_cache.ts";
export * from "../index/open_index.ts";
export * from "./content_reader.ts";
export * from "./local_store_index.ts";
export * from "./object_reader.ts";
export * from "./store_reader.ts";
