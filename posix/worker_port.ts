/**
 * The inside of a worker, which needs nothing of what starts one.
 *
 * @module
 */
export * from "./worker/error_record.ts";
export * from "./worker/worker_port.ts";
