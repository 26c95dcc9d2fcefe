/**
 * Numbers of the system: flags, errors, modes. They load nothing else.
 *
 * @module
 */
export * from "./errors.ts";
export * from "./flags.ts";
export * from "./mode.ts";
