/**
 * Records of snapshots, the names that people give for them, and tags.
 *
 * @module
 */
export * from "./forget_records.ts";
export * from "./record.ts";
export * from "./record_fields.ts";
export * from "./record_order.ts";
export * from "./records.ts";
export * from "./resolve_snapshot.ts";
export * from "./tags.ts";
export * from "./write_record.ts";
