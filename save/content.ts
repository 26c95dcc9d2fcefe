/**
 * Content is named, cut where it is large, and stored.
 *
 * @module
 */
export * from "./pack/content_packer.ts";
export * from "./pack/content_writer.ts";
