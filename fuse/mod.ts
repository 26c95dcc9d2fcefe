/**
 * Shows a snapshot as a read-only file system, straight from the packs.
 *
 * @module
 */
export * from "./counters.ts";
export * from "./node_cursor.ts";
export * from "./pieces.ts";
export * from "./protocol.ts";
export * from "./reply.ts";
export * from "./session.ts";
export * from "./session_parts.ts";
