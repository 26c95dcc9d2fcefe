/**
 * Snapshots as other programs keep trees, and back.
 *
 * The parts have entry points of their own:
 *
 * - `@snap/formats/tar`: tar archives, plain or compressed
 *
 * @module
 */
export * from "./tar/mod.ts";
