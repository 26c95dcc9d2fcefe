import { FrameSyntaxError } from "./codec.ts";

const MAGIC = 0xfd2fb528;
const PREFIX_SIZE = 5;
const BLOCK_RAW = 0;
const BLOCK_RLE = 1;
const BLOCK_COMPRESSED = 2;

/**
 * Checks, without decoding, that bytes are one whole Zstandard frame (RFC 8878)
 * with its plain size and without a dictionary.
 *
 * @param stored Bytes of the frame
 * @param plainSize Plain size that the frame must claim
 * @throws {FrameSyntaxError} If they are not
 */
export function checkZstdFrame(stored: Uint8Array, plainSize: number): void {
  const claimed = claimedSize(stored);
  if (claimed !== plainSize) {
    throw new FrameSyntaxError(
      `Cannot read zstd frame as its plain size is ${plainSize}: found ${claimed}`,
      PREFIX_SIZE,
    );
  }
  const size = zstdFrameSize(stored);
  if (size !== stored.length) {
    throw new FrameSyntaxError(
      `Cannot read zstd frame as it has ${size} bytes: found ${stored.length}`,
      Math.min(size, stored.length),
    );
  }
}

function uint(bytes: Uint8Array, start: number, size: number): number {
  if (start + size > bytes.length) {
    throw new FrameSyntaxError(
      `Cannot read zstd frame as it goes on at ${start}: found ${bytes.length} bytes`,
      bytes.length,
    );
  }
  let value = 0;
  for (let i = size; i-- > 0;) value = value * 256 + bytes[start + i];
  return value;
}

/** Size of the field with the plain size, 0 where there is none. */
function claimSize(descriptor: number): number {
  const flag = descriptor >> 6;
  return flag === 0 ? (descriptor >> 5) & 1 : 1 << flag;
}

function claimStart(descriptor: number): number {
  return PREFIX_SIZE + 1 - ((descriptor >> 5) & 1);
}

function claimedSize(stored: Uint8Array): number {
  const magic = uint(stored, 0, 4);
  if (magic !== MAGIC) {
    throw new FrameSyntaxError(
      `Cannot read zstd frame as it begins with ${MAGIC}: found ${magic}`,
      0,
    );
  }
  const descriptor = uint(stored, 4, 1);
  // Two bits for the size of a dictionary id, one that is reserved.
  if ((descriptor & 0b1011) !== 0) {
    throw new FrameSyntaxError(
      `Cannot read zstd frame as it needs no dictionary: found descriptor ${descriptor}`,
      4,
    );
  }
  const size = claimSize(descriptor);
  if (size === 0) return -1;
  const value = uint(stored, claimStart(descriptor), size);
  return size === 2 ? value + 256 : value;
}

/**
 * Finds the end of the Zstandard frame that stands first, by its block headers.
 *
 * @param stored Bytes of the frame, and what may follow
 * @returns Size of the frame in bytes
 * @throws {FrameSyntaxError} If the frame ends early
 */
export function zstdFrameSize(stored: Uint8Array): number {
  const descriptor = stored[4];
  let at = claimStart(descriptor) + claimSize(descriptor);
  for (let last = 0; last === 0;) {
    const header = uint(stored, at, 3);
    const type = (header >> 1) & 3;
    at += 3;
    last = header & 1;
    if (type === BLOCK_RLE) at += 1;
    else if (type === BLOCK_RAW || type === BLOCK_COMPRESSED) at += header >> 3;
    else {
      throw new FrameSyntaxError(
        `Cannot read zstd frame as block types are 0 to 2: found ${type}`,
        at - 3,
      );
    }
  }
  return at + (descriptor & 4);
}
