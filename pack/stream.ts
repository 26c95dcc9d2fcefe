/**
 * Objects in, packs out, as a stream.
 *
 * @module
 */
export {
  type PackedBytes,
  PackStream,
  type PackStreamOptions,
  type StreamedObject,
} from "./write/pack_stream.ts";
