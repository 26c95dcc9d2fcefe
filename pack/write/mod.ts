/**
 * Packs as they are written: frames, tables, footers; small packs joined.
 *
 * @module
 */
export * from "./frame_builder.ts";
export * from "./join_packs.ts";
export * from "./pack_footer.ts";
export * from "./pack_table.ts";
export * from "./pack_writer.ts";
