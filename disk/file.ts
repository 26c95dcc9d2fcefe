/**
 * One file as it is read.
 *
 * @module
 */
export * from "./source/source_file.ts";
