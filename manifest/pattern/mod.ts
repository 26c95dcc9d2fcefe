/**
 * Patterns of paths, as gitignore has them.
 *
 * @module
 */
export * from "./path_pattern.ts";
