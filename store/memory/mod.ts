/**
 * A store in memory.
 *
 * @module
 */
export * from "./memory_store.ts";
