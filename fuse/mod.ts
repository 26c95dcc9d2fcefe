/**
 * Shows a snapshot as a read-only file system, straight from the packs.
 *
 * ```ts
 * import { mount } from "@snap/fuse";
 * import { type Id, wasmHasher } from "@snap/hash";
 * import { openFileStore } from "@snap/store/file-store";
 *
 * async function show(id: Id, mountpoint: string): Promise<void> {
 *   const store = await openFileStore("/srv/snap");
 *   const mounted = await mount(store, id, { mountpoint, hasher: wasmHasher });
 *   console.log(`${mounted.source} is on ${mounted.mountpoint}`);
 *   await mounted.finished;
 * }
 * ```
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
