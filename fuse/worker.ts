/**
 * The module that a worker of a mount runs.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export * from "./mount/mount_worker.ts";
