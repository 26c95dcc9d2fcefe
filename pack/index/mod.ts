/**
 * The index as it is looked into: tables, pages, sets of packs.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export * from "./index_file.ts";
export * from "./index_files.ts";
export * from "./index_reader.ts";
export {
  FRAMES_PER_PAGE,
  INDEX_PAGE_SIZE,
  type IndexCounts,
  type IndexHead,
  type IndexPages,
  indexPages,
  PACK_ROW_SIZE,
  ROWS_PER_PAGE,
} from "./index_table.ts";
export { COPIES_MAX, ObjectIndex } from "./object_index.ts";
export * from "./pack_set.ts";
