/**
 * The footer of a pack: where its table lies, and what it hashes to.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { getU32, isZero, setU32 } from "../bytes.ts";
import { PackSyntaxError } from "../errors.ts";
import { PackRole } from "../object_kind.ts";

/** Size of the header of a pack in bytes. */
export const PACK_HEADER_SIZE = 72;

/** Size of the footer of a pack in bytes. */
export const PACK_FOOTER_SIZE = 64;

/** Largest size of a pack in bytes. */
export const PACK_SIZE_MAX: number = 2 ** 31 - 1;

/** Size of a frame row in bytes. */
export const FRAME_ROW_SIZE = 20;

/** Size of an object row in bytes. */
export const OBJECT_ROW_SIZE = 48;

const MAGIC = /* @__PURE__ */ new TextEncoder().encode("snapPEND");
const HASH_START = 16;
const HASH_SIZE = 32;

/** Fields of a footer. */
export interface PackFooter {
  /** Offset of the table in the pack. */
  readonly tableOffset: number;
  /** Number of frames. */
  readonly frameCount: number;
  /** Number of objects. */
  readonly objectCount: number;
  /** BLAKE3 of the table, 32 bytes. */
  readonly tableHash: Uint8Array;
  /** Role of the pack: data or trees. */
  readonly role: PackRole;
}

/**
 * Size of a table.
 *
 * @param counts Numbers of frames and of objects
 * @returns Its size in bytes
 */
export function packTableSize(
  counts: { readonly frameCount: number; readonly objectCount: number },
): number {
  return counts.frameCount * FRAME_ROW_SIZE +
    counts.objectCount * OBJECT_ROW_SIZE;
}

/**
 * Encodes a footer.
 *
 * @param footer What it says
 * @returns Its 64 bytes
 */
export function encodePackFooter(footer: PackFooter): Uint8Array {
  const bytes = new Uint8Array(PACK_FOOTER_SIZE);
  setU32(bytes, 0, footer.tableOffset);
  setU32(bytes, 4, packTableSize(footer));
  setU32(bytes, 8, footer.frameCount);
  setU32(bytes, 12, footer.objectCount);
  bytes.set(footer.tableHash, HASH_START);
  setU32(bytes, 48, footer.role);
  bytes.set(MAGIC, 56);
  return bytes;
}

/**
 * Decodes the footer of a pack: its last 64 bytes.
 *
 * @param bytes The last 64 bytes
 * @param packSize Size of the pack in bytes
 * @returns What it says, every number checked against the size
 * @throws {PackSyntaxError} If the bytes are no footer of such a pack
 */
export function decodePackFooter(
  bytes: Uint8Array,
  packSize: number,
): PackFooter {
  checkBytes(bytes, "end of a pack");
  if (bytes.length !== PACK_FOOTER_SIZE) {
    fail(`it needs ${PACK_FOOTER_SIZE} bytes: found ${bytes.length}`, 0);
  }
  if (!(packSize <= PACK_SIZE_MAX)) {
    fail(`a pack has at most ${PACK_SIZE_MAX} bytes: found ${packSize}`, 0);
  }
  for (let i = 0; i < MAGIC.length; i++) {
    if (bytes[56 + i] !== MAGIC[i]) fail("it ends with snapPEND", 56 + i);
  }
  if (!isZero(bytes, 52, 56)) fail("bytes 52 to 55 are 0", 52);
  const role = getU32(bytes, 48);
  if (role !== PackRole.data && role !== PackRole.trees) {
    fail(`its role is 1 or 2: found ${role}`, 48);
  }
  const tableOffset = getU32(bytes, 0);
  const tableSize = getU32(bytes, 4);
  const frameCount = getU32(bytes, 8);
  const objectCount = getU32(bytes, 12);
  const needed = packTableSize({ frameCount, objectCount });
  if (tableSize !== needed) {
    fail(
      `its ${frameCount} frames and ${objectCount} objects need ${needed} bytes: found ${tableSize}`,
      4,
    );
  }
  if (
    tableOffset < PACK_HEADER_SIZE ||
    tableOffset + tableSize + PACK_FOOTER_SIZE !== packSize
  ) {
    fail(
      `its table of ${tableSize} bytes ends at the footer of ${packSize} bytes: found offset ${tableOffset}`,
      0,
    );
  }
  return {
    tableOffset,
    frameCount,
    objectCount,
    tableHash: bytes.slice(HASH_START, HASH_START + HASH_SIZE),
    role,
  };
}

function fail(need: string, offset: number): never {
  throw new PackSyntaxError(`Cannot read pack footer as ${need}`, offset);
}
