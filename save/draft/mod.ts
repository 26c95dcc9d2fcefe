/**
 * A snapshot put together of entries in any order.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export {
  type DraftNodes,
  type NodeAttributes,
  OWNER_MAX,
} from "./draft_nodes.ts";
export { checkLinkTarget } from "./draft_path.ts";
export * from "./entry_error.ts";
export { type NameTable } from "./name_table.ts";
export * from "./save_draft.ts";
export * from "./snapshot_draft.ts";
