/**
 * Trees and attribute pages that are too wide for memory, read from bytes that lie elsewhere.
 *
 * @module
 */
export * from "./page/wide_page.ts";
export * from "./tree/wide_tree.ts";
