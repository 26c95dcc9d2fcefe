import type * as zlib from "node:zlib";

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) {
    crc = (crc & 1) === 0 ? crc >>> 1 : crc >>> 1 ^ 0xedb88320;
  }
  return crc;
});

/** Bytes after which loading `node:zlib` would have been cheaper: 17 ms at 9 us a page of 4 KiB. */
const OWN_BYTES_MAX = 4 << 20;

let ownByteCount = 0;
let native: typeof zlib.crc32 | undefined;

/**
 * The CRC-32 of `node:zlib`, for programs that read a few pages of an index: they
 * need nothing else of that module, which takes longer to load than all else.
 *
 * @param bytes Any bytes
 * @returns Their CRC-32
 */
export function crc32(bytes: Uint8Array): number {
  if (native !== undefined) return native(bytes);
  ownByteCount += bytes.length;
  if (ownByteCount > OWN_BYTES_MAX) {
    native = globalThis.process?.getBuiltinModule?.("node:zlib")?.crc32;
  }
  return native === undefined ? portableCrc32(bytes) : native(bytes);
}

/** Byte by byte. */
export function portableCrc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = crc >>> 8 ^ TABLE[(crc ^ byte) & 0xff];
  return ~crc >>> 0;
}
