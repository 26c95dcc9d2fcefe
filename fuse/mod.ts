/**
 * Shows a snapshot as a read-only file system, straight from the packs.
 *
 * The workers of a mount run `@snap/fuse/mount-worker`.
 *
 * @module
 */
export * from "./catalog.ts";
export * from "./catalog_source.ts";
export * from "./counters.ts";
export * from "./file_contents.ts";
export * from "./mount.ts";
export * from "./mount_error.ts";
export * from "./mount_log.ts";
export * from "./mount_statistics.ts";
export * from "./mount_table.ts";
export * from "./node_cursor.ts";
export * from "./node_table.ts";
export * from "./objects.ts";
export * from "./passed.ts";
export * from "./pieces.ts";
export * from "./prepare_mount.ts";
export * from "./protocol.ts";
export * from "./ranges.ts";
export * from "./reply.ts";
export * from "./session.ts";
export * from "./session_parts.ts";
export * from "./table_list.ts";
export * from "./unmount.ts";
