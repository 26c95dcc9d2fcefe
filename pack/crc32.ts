import type * as zlib from "node:zlib";

/** Bytes after which loading `node:zlib` would have been cheaper: 17 ms at 3.4 us a page of 4 KiB. */
const OWN_BYTES_MAX = 16 << 20;

/** Row `n` has the CRC of a byte with `n` zeros behind it: eight bytes are taken at once. */
const TABLE: Int32Array = makeTable();

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

/** The same, by own code. */
export function portableCrc32(bytes: Uint8Array): number {
  let crc = -1;
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) {
    crc ^= bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 |
      bytes[i + 3] << 24;
    crc = TABLE[7 << 8 | crc & 0xff] ^ TABLE[6 << 8 | crc >>> 8 & 0xff] ^
      TABLE[5 << 8 | crc >>> 16 & 0xff] ^ TABLE[4 << 8 | crc >>> 24] ^
      TABLE[3 << 8 | bytes[i + 4]] ^ TABLE[2 << 8 | bytes[i + 5]] ^
      TABLE[1 << 8 | bytes[i + 6]] ^ TABLE[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) {
    crc = crc >>> 8 ^ TABLE[(crc ^ bytes[i]) & 0xff];
  }
  return ~crc >>> 0;
}

function makeTable(): Int32Array {
  const table = new Int32Array(8 << 8);
  for (let i = 0; i < table.length; i++) {
    let crc = i < 256 ? i : table[i - 256];
    for (let bit = 0; bit < 8; bit++) {
      crc = crc >>> 1 ^ ((crc & 1) === 0 ? 0 : 0xedb88320);
    }
    table[i] = crc;
  }
  return table;
}
