/**
 * Check of a store: all that it holds against all that it claims.
 *
 * @module
 */
export * from "./damage.ts";
export * from "./index.ts";
export * from "./verify.ts";
export * from "./verify_progress.ts";
