/**
 * The inside of a worker, which needs nothing of what starts one.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export * from "./worker/error_record.ts";
export * from "./worker/worker_port.ts";
