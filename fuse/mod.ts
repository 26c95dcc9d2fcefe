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
 * The workers of a mount run `@snap/fuse/worker`.
 *
 * The parts have entry points of their own:
 *
 * - `@snap/fuse/catalog`: the directories that a mount of all snapshots shows
 * - `@snap/fuse/overlay`: snapshots that can be written to, as overlays of the kernel
 * - `@snap/fuse/prepare`: workers of a mount, started before the snapshot is known
 *
 * @module
 */
export * from "./mount/mount.ts";
export * from "./mount/mount_error.ts";
export * from "./mount/mount_log.ts";
export type { MountStatistics } from "./mount/mount_statistics.ts";
export * from "./mount/mount_table.ts";
export * from "./mount/unmount.ts";
