/**
 * A snapshot as something to look up and read.
 *
 * @module
 */
export * from "./row_fields.ts";
export * from "./view.ts";
export * from "./view_entry.ts";
