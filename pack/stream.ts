/**
 * Objects in, packs out, as a stream.
 *
 * @module
 */
export * from "./write/pack_stream.ts";
