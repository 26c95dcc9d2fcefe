/**
 * The module that a worker of this package runs.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export * from "./sync_worker.ts";
