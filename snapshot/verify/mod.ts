/**
 * Check of a store: all that it holds against all that it claims.
 *
 * @module
 */
export * from "./damage.ts";
export * from "./index.ts";
export type { PackFile } from "./pack.ts";
export * from "./pack_part.ts";
export * from "./verify.ts";
export type * from "./verify_options.ts";
export * from "./verify_progress.ts";
