/**
 * Extras of an entry, beside its row: extended attributes and holes; kinds and limits.
 *
 * @module
 */
export * from "../entry_kind.ts";
export * from "./extras.ts";
export * from "./extras_reader.ts";
export * from "./holes.ts";
export * from "../limits.ts";
export * from "../manifest_syntax_error.ts";
