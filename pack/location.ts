/**
 * Where objects lie, and what is needed to say so.
 *
 * @module
 */
import { CodecTag, FRAME_SIZE_MAX } from "./codec/codec.ts";
import {
  PACK_FOOTER_SIZE,
  PACK_HEADER_SIZE,
  PACK_SIZE_MAX,
} from "./write/pack_footer.ts";

/** A pack as the index knows it. */
export interface IndexedPack {
  /** Number of the pack within the index. */
  readonly packNumber: number;
  /** Its id, 32 bytes. */
  readonly packId: Uint8Array;
  /** Its name in the store. */
  readonly packName: string;
  /** Its size in bytes. */
  readonly packSize: number;
  /** Its role: data or trees. */
  readonly role: number;
}

/** Where an object lies; every number lies within its pack and frame. */
export interface Location extends IndexedPack {
  /** Number of its row within the index: a key for marks. */
  readonly objectKey: number;
  /** Number of the frame within the index: a key for caches. */
  readonly frameKey: number;
  /** Offset of the frame in the pack. */
  readonly frameOffset: number;
  /** Stored size of the frame in bytes. */
  readonly storedSize: number;
  /** Plain size of the frame in bytes, at most 4 MiB. */
  readonly plainSize: number;
  /** Number of its codec. */
  readonly codecTag: CodecTag;
  /** CRC-32 of its stored bytes. */
  readonly crc: number;
  /** Offset of the object in the plain frame. */
  readonly offset: number;
  /** Plain size of the object in bytes. */
  readonly size: number;
  /** Number of its kind. */
  readonly kind: number;
}

/** A page that is needed before the question can be answered. */
export interface PageRequest {
  /** Number of the table. */
  readonly table: number;
  /** Its name in the store. */
  readonly name: string;
  /** Its size in bytes, where it is known. */
  readonly fileSize?: number;
  /** Offset of the page in the file. */
  readonly offset: number;
  /** Size of the page in bytes. */
  readonly length: 4096;
}

/**
 * Tells a request for a page from an answer.
 *
 * @param answer What the index returned
 * @returns Whether a page is needed first
 */
export function isPageRequest(
  answer: object | undefined,
): answer is PageRequest {
  return answer !== undefined && "table" in answer;
}

/**
 * Looks for a number that lies outside of its pack or frame.
 *
 * @param location Where an object is said to lie
 * @returns What is wrong, `undefined` where nothing is
 */
export function locationProblem(location: Location): string | undefined {
  const {
    packSize,
    frameOffset,
    storedSize,
    plainSize,
    codecTag,
    offset,
    size,
  } = location;
  if (packSize > PACK_SIZE_MAX) return "pack size";
  const end = frameOffset + storedSize;
  if (frameOffset < PACK_HEADER_SIZE || storedSize < 1) return "frame offset";
  if (end + PACK_FOOTER_SIZE > packSize) return "frame end";
  if (plainSize < 1 || plainSize > FRAME_SIZE_MAX) return "plain size";
  if (codecTag > CodecTag.zstd) return "codec";
  if (codecTag === CodecTag.none && storedSize !== plainSize) {
    return "stored size";
  }
  if (size < 1 || offset + size > plainSize) return "object end";
  return undefined;
}
