/**
 * Trees and attribute pages as they are stored: named, cut where they are large, and
 * directories written anew.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export * from "./count_totals.ts";
export * from "./directory_writer.ts";
export * from "./metadata_packer.ts";
export * from "./object_hasher.ts";
