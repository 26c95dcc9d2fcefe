/**
 * A directory as it is read: walked, listed, described.
 *
 * @module
 */
export * from "./source.ts";
export * from "./source_directory.ts";
export * from "../store_place.ts";
