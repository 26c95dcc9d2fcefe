/**
 * How frames are compressed: every codec, and decoders of the system.
 *
 * @module
 */
export * from "./codec/codec.ts";
export * from "./codec/codecs.ts";
export * from "./codec/frame_decoders.ts";
export * from "./codec/lz4_codec.ts";
export * from "./codec/none_codec.ts";
export {
  ZSTD_LEVEL_DEFAULT,
  ZSTD_LEVEL_MAX,
  ZSTD_LEVEL_MIN,
  zstdCodec,
  type ZstdCodecOptions,
} from "./codec/zstd_codec.ts";
