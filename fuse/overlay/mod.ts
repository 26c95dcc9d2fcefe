/**
 * Snapshots that can be written to: an overlay of the kernel over a mount.
 *
 * @module
 */
export * from "./mount_overlay.ts";
export * from "./overlay_folder.ts";
