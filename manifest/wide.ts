/**
 * Trees and attribute pages that are too wide for memory, read from bytes that lie elsewhere.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export * from "./page/wide_page.ts";
export * from "./tree/wide_tree.ts";
