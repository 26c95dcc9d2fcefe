/**
 * A directory as it is read: walked, listed, described.
 *
 * @module
 */
export type { FileIdentity } from "../file_identity.ts";
export * from "./source.ts";
export * from "./source_directory.ts";
export type { OnDirectory, SourceDrops } from "./source_walk.ts";
export * from "../store_place.ts";
