/**
 * Paths and names: what is safe, and how they are shown.
 *
 * @module
 */
export * from "./json_path.ts";
export * from "./path.ts";
export * from "./safe_name.ts";
