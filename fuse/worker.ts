/**
 * The module that a worker of a mount runs.
 *
 * @module
 */
export * from "./mount/mount_worker.ts";
