/**
 * Content under its id, without files and trees.
 *
 * @module
 */
export type { ContentSource } from "../pack/write_content.ts";
export * from "./objects.ts";
