/**
 * How frames are compressed: every codec, and decoders and encoders of the system.
 *
 * @module
 */
export { type Codec, CodecTag, FrameSyntaxError } from "./codec/codec.ts";
export * from "./codec/codecs.ts";
export type { FrameDecoder, FrameDecoders } from "./codec/frame_decoders.ts";
export {
  type FrameEncoder,
  type FrameEncoders,
  lz4Codec,
} from "./codec/lz4_codec.ts";
export * from "./codec/lz4_decoder.ts";
export * from "./codec/none_codec.ts";
export { zstdCodec, type ZstdCodecOptions } from "./codec/zstd_codec.ts";
/** @internal */
export { checkFrameSize, FRAME_SIZE_MAX } from "./codec/codec.ts";
/** @internal */
export { decodeFrame } from "./codec/frame_decoders.ts";
/** @internal */
export {
  ZSTD_LEVEL_DEFAULT,
  ZSTD_LEVEL_MAX,
  ZSTD_LEVEL_MIN,
} from "./codec/zstd_codec.ts";
