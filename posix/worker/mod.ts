/**
 * Workers on Deno and Node: started, talked to, ended, and what is left when they fail.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export * from "./beside_url.ts";
export * from "./error_record.ts";
export * from "./on_exit.ts";
export * from "./worker.ts";
