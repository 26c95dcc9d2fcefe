/**
 * Content under its id, without files and trees.
 *
 * @module
 */
export * from "./objects.ts";
