/**
 * Trees and attribute pages of which not everything is known yet.
 *
 * @module
 */
export * from "./page/draft_owners.ts";
export * from "./page/page_draft.ts";
export * from "./tree/tree_draft.ts";
