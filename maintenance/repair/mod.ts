/**
 * Mending of what is damaged in a store: its index, its packs, its snapshots.
 *
 * @module
 */
export * from "./repair_index.ts";
export * from "./repair_packs.ts";
export * from "./recover_trees.ts";
export * from "./repair_snapshots.ts";
export type { RecoverProgress } from "./root_search.ts";
export type { LostEntries } from "./tree_mender.ts";
