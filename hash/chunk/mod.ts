/**
 * Content cut into chunks by what it holds.
 *
 * @module
 */
export * from "./chunk_stream.ts";
export * from "./chunker.ts";
