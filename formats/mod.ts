/**
 * Snapshots as other programs keep trees, and back.
 *
 * The parts have entry points of their own:
 *
 * - `@snap/formats/oci`: image layouts of OCI
 * - `@snap/formats/snapdir`: manifests, ids and stores of snapdir
 * - `@snap/formats/tar`: tar archives, plain or compressed
 *
 * @module
 */
export * from "./tar/mod.ts";
