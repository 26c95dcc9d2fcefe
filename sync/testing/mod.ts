/**
 * Transports for tests: in memory, by hand, and one that fails on purpose.
 *
 * @module
 */
export * from "./transports.ts";
