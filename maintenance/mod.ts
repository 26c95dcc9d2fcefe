/**
 * What is kept, what is removed, what is mended.
 *
 * The parts have entry points of their own:
 *
 * - `@snap/maintenance/forget`: rules that say what is kept, and forgetting
 * - `@snap/maintenance/prune`: what no record needs is removed, beside those who save
 * - `@snap/maintenance/repair`: what is damaged in a store is mended
 * - `@snap/maintenance/rewrite`: snapshots without some of their paths
 * - `@snap/maintenance/usage`: what snapshots take up, and in which packs
 *
 * @module
 */
export * from "./forget/mod.ts";
export * from "./prune/mod.ts";
export * from "./repair/mod.ts";
export * from "./rewrite/mod.ts";
export * from "./usage/mod.ts";
