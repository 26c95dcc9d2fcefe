/**
 * Manifests, ids and stores of snapdir.
 *
 * @module
 */
export * from "./errors.ts";
export * from "./manifest_line.ts";
export * from "./manifest_text.ts";
export type * from "./manifest_walk.ts";
