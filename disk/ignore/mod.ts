/**
 * Rules of what is left out: `.snapignore`, patterns, cache directories.
 *
 * @module
 */
export * from "./ignore_rules.ts";
