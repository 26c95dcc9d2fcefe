/**
 * Workers on Deno and Node: started, talked to, ended, and what is left when they fail.
 *
 * @module
 */
export * from "./error_record.ts";
export * from "./on_exit.ts";
export * from "./worker.ts";
