/**
 * Workers of a mount, started before the snapshot is known.
 *
 * @module
 */
export * from "./mount/prepare_mount.ts";
