/**
 * Objects written into a store: the writer and its sinks, and what they are made
 * of: frames, packs, tables, footers.
 *
 * @module
 */
export * from "./claim_table.ts";
export * from "./drop_packs.ts";
export * from "./frame_builder.ts";
export * from "./index_repair.ts";
export * from "./join_packs.ts";
export * from "./object_sink.ts";
export * from "./object_writer.ts";
export * from "./open_object_writer.ts";
export * from "./pack_files.ts";
export * from "./pack_footer.ts";
export * from "./pack_table.ts";
export * from "./pack_writer.ts";
export * from "./recipe_proof.ts";
export * from "./sink_config.ts";
export * from "./store_state.ts";
export * from "./stored_objects.ts";
export * from "./writer_lease.ts";
