import { crc32 } from "node:zlib";
import { ObjectKind, PackRole } from "@snap/pack";
import type { CheckedFrame } from "@snap/pack/sink";

/**
 * Makes a frame of one object that was checked.
 *
 * @param bytes The object.
 * @param id Its id, 32 bytes.
 * @param kind Its kind.
 * @param role Of data or of trees; that of its kind if left out.
 * @returns The frame.
 */
export function singleFrame(
  bytes: Uint8Array,
  id: Uint8Array,
  kind: number,
  role: PackRole = kind === ObjectKind.content ? PackRole.data : PackRole.trees,
): CheckedFrame {
  return {
    stored: bytes,
    plain: bytes,
    plainSize: bytes.length,
    codecTag: 0,
    crc: crc32(bytes),
    role,
    rows: {
      count: 1,
      ids: id,
      kinds: Uint8Array.of(kind),
      offsets: Uint32Array.of(0),
      sizes: Uint32Array.of(bytes.length),
    },
  };
}
