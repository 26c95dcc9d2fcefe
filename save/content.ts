/**
 * Content is named, cut where it is large, and stored.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export * from "./pack/content_writer.ts";
