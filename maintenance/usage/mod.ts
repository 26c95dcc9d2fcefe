/**
 * What snapshots take up: together, each for itself, by directory and type, and
 * in which packs.
 *
 * @module
 */
export * from "./measure_snapshots.ts";
export * from "./packs_of.ts";
export * from "./sizes_by.ts";
