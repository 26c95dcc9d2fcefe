/**
 * Workers of a mount, started before it is known what they serve.
 *
 * @module
 */
export * from "./mount/prepare_mount.ts";
