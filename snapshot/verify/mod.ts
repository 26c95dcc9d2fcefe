/**
 * What a store holds, checked against what it says.
 *
 * @module
 */
export * from "./damage.ts";
export * from "./index.ts";
export * from "./verify.ts";
export * from "./verify_progress.ts";
