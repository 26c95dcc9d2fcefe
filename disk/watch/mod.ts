/**
 * Changes of a directory, as the kernel tells of them.
 *
 * @module
 */
export * from "./tree_watch.ts";
