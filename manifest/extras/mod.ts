/**
 * Extras of an entry, beside its row: extended attributes and holes; kinds and limits.
 *
 * @module
 */
export * from "../entry_kind.ts";
export * from "./extras.ts";
export * from "./extras_reader.ts";
export * from "./holes.ts";
export * from "../manifest_syntax_error.ts";
/** @internal */
export {
  DEPTH_MAX,
  FILE_SIZE_MAX,
  HOLE_SIZE_MIN,
  INLINE_SIZE_MAX,
  MODE_MAX,
  NAME_SIZE_MAX,
  TARGET_SIZE_MAX,
  XATTR_NAME_SIZE_MAX,
} from "../limits.ts";
