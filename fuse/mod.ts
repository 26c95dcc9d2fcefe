/**
 * Shows a snapshot as a read-only file system, straight from the packs.
 *
 * ```ts
 * import { mount } from "@snap/fuse";
 * import { type Id } from "@snap/hash";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { openFileStore } from "@snap/store/file";
 *
 * async function show(id: Id, mountpoint: string): Promise<void> {
 *   const store = await openFileStore("/srv/snap");
 *   const mounted = await mount(store, id, { mountpoint, hasher: wasmHasher });
 *   console.log(`${mounted.source} is on ${mounted.mountpoint}`);
 *   await mounted.finished;
 * }
 * ```
 *
 * The parts have entry points of their own:
 *
 * - `@snap/fuse/overlay`: snapshots that can be written to, as overlays of the kernel
 *
 * @module
 */
export * from "./mount/mount.ts";
export * from "./mount/mount_error.ts";
export * from "./mount/mount_log.ts";
export type { MountStatistics } from "./mount/mount_statistics.ts";
export {
  findMount,
  type MountTableEntry,
  readMountTable,
} from "./mount/mount_table.ts";
export { unmount, type UnmountOptions } from "./mount/unmount.ts";
/** @internal */
export { MOUNT_TYPE, upperOf } from "./mount/mount_table.ts";
/** @internal */
export { isWritable } from "./mount/unmount.ts";
