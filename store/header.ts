/**
 * The 72 bytes that every file of a store begins with.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { DocumentSyntaxError, UnsupportedVersionError } from "./errors.ts";

/** Size of a header in bytes. */
export const HEADER_SIZE = 72;
/** Size of a save id in bytes. */
export const SAVE_ID_SIZE = 16;
/** Size of a salt in bytes. */
export const SALT_SIZE = 32;
/** The version that is written, and the only one that is read. */
export const FORMAT_VERSION = 1;
/** Feature bits that a reader knows here: none yet. */
export const READ_FEATURES_KNOWN = 0;
/** Write feature: every writer of the store has a lease. */
export const LEASES_FEATURE = 1;
/** Feature bits that a writer knows here. */
export const WRITE_FEATURES_KNOWN: number = LEASES_FEATURE;

/** Kinds of files that are a document: header, JSON and checksum. */
export type DocumentKind = "RECD" | "TAGE" | "CONF" | "LEAS" | "GCLG" | "LIST";
/** Kinds of files. */
export type FileKind = "PACK" | "INDX" | DocumentKind;

/** Fields of a header. */
export interface Header {
  /** Kind of the file. */
  readonly kind: FileKind;
  /** Bits that a reader must know. Default 0. */
  readonly readFeatures?: number;
  /** Bits that a writer must know. Default 0. */
  readonly writeFeatures?: number;
  /** Size of the body in a document in bytes, else 0. Default 0. */
  readonly bodySize?: number;
  /** Save id of the run that wrote the file, 16 bytes. */
  readonly saveId: Uint8Array;
  /** Random salt, 32 bytes. */
  readonly salt: Uint8Array;
}

/** Fields of a header of any version. */
export interface ParsedHeader extends Required<Header> {
  /** The version of the file. */
  readonly version: number;
}

const MAGIC = 0x70616e73; // "snap"
const KINDS: readonly FileKind[] = [
  ...["PACK", "INDX"] as const,
  ...["RECD", "TAGE", "CONF", "LEAS", "GCLG", "LIST"] as const,
];
const VERSION_AT = 8;
const READ_FEATURES_AT = 12;
const WRITE_FEATURES_AT = 16;
const BODY_SIZE_AT = 20;
const SAVE_ID_AT = 24;
const SALT_AT = 40;

/**
 * Writes a header.
 *
 * @example A header of a pack
 * ```ts
 * import { decodeHeader, encodeHeader } from "@snap/store";
 * import { strictEqual } from "node:assert/strict";
 *
 * const bytes = encodeHeader({ kind: "PACK", saveId: new Uint8Array(16), salt: new Uint8Array(32) });
 * strictEqual(decodeHeader("PACK", bytes).bodySize, 0);
 * ```
 *
 * @returns 72 bytes.
 * @throws {RangeError} If the save id or the salt has another size, or a number is no u32.
 */
export function encodeHeader(header: Header): Uint8Array {
  checkBytes(header.saveId, "save id");
  checkBytes(header.salt, "salt");
  const {
    kind,
    readFeatures = 0,
    writeFeatures = 0,
    bodySize = 0,
    saveId,
    salt,
  } = header;
  checkSize("save id", saveId, SAVE_ID_SIZE);
  checkSize("salt", salt, SALT_SIZE);
  const bytes = new Uint8Array(HEADER_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  for (let i = 0; i < 4; i++) bytes[4 + i] = kind.charCodeAt(i);
  view.setUint32(VERSION_AT, FORMAT_VERSION, true);
  view.setUint32(
    READ_FEATURES_AT,
    checkU32("read features", readFeatures),
    true,
  );
  view.setUint32(
    WRITE_FEATURES_AT,
    checkU32("write features", writeFeatures),
    true,
  );
  view.setUint32(BODY_SIZE_AT, checkU32("body size", bodySize), true);
  bytes.set(saveId, SAVE_ID_AT);
  bytes.set(salt, SALT_AT);
  return bytes;
}

/**
 * Reads a header, and refuses a file that this version cannot read.
 *
 * @param kind The kind that the file must have.
 * @param bytes Bytes that begin with the header.
 * @returns What it says. Save id and salt are copies.
 * @throws {DocumentSyntaxError} If there is no header of that kind.
 * @throws {UnsupportedVersionError} If it has another version or read features that are not known.
 */
export function decodeHeader(
  kind: FileKind,
  bytes: Uint8Array,
): ParsedHeader {
  const header = parseHeader(kind, bytes);
  checkReadable(header);
  return header;
}

/**
 * Reads a header of any version and features, since those of a damaged file mean
 * nothing before its checksum is known to be right.
 *
 * @param kind The kind that the file must have.
 * @param bytes Bytes that begin with the header.
 * @returns What it says. Save id and salt are copies.
 * @throws {DocumentSyntaxError} If there is no header of that kind.
 */
export function parseHeader(kind: FileKind, bytes: Uint8Array): ParsedHeader {
  checkBytes(bytes, "file");
  if (bytes.length < HEADER_SIZE) {
    throw new DocumentSyntaxError(
      `Cannot read header as it needs ${HEADER_SIZE} bytes: found ${bytes.length}`,
      bytes.length,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
  if (view.getUint32(0, true) !== MAGIC) {
    throw new DocumentSyntaxError(
      "Cannot read header as it must begin with 'snap'",
      0,
    );
  }
  const found = KINDS.find((name) => hasKind(bytes, name));
  if (found !== kind) {
    const what = found ?? "none that is known";
    throw new DocumentSyntaxError(
      `Cannot read header as its kind must be ${kind}: found ${what}`,
      4,
    );
  }
  const bodySize = view.getUint32(BODY_SIZE_AT, true);
  if (bodySize !== 0 && (kind === "PACK" || kind === "INDX")) {
    throw new DocumentSyntaxError(
      `Cannot read header as the body size of a ${kind} must be 0: found ${bodySize}`,
      BODY_SIZE_AT,
    );
  }
  return {
    kind,
    version: view.getUint32(VERSION_AT, true),
    readFeatures: view.getUint32(READ_FEATURES_AT, true),
    writeFeatures: view.getUint32(WRITE_FEATURES_AT, true),
    bodySize,
    saveId: copyOf(bytes, SAVE_ID_AT, SAVE_ID_SIZE),
    salt: copyOf(bytes, SALT_AT, SALT_SIZE),
  };
}

/**
 * Refuses a file that a reader of this version does not understand.
 *
 * @param header Its header, known to be what was written.
 * @throws {UnsupportedVersionError} If it has another version or read features that are not known.
 */
export function checkReadable(
  header: { readonly version: number; readonly readFeatures: number },
): void {
  const { version } = header;
  if (version !== FORMAT_VERSION) {
    throw new UnsupportedVersionError("read", version, 0);
  }
  const unknown = (header.readFeatures & ~READ_FEATURES_KNOWN) >>> 0;
  if (unknown !== 0) {
    throw new UnsupportedVersionError("read", FORMAT_VERSION, unknown);
  }
}

/**
 * Refuses to add to a store that a writer of this version does not understand.
 *
 * @param header Header of any of its files, or its config.
 * @throws {UnsupportedVersionError} If it has write features that are not known.
 */
export function checkWriteFeatures(
  header: { readonly writeFeatures: number },
): void {
  const unknown = (header.writeFeatures & ~WRITE_FEATURES_KNOWN) >>> 0;
  if (unknown !== 0) {
    throw new UnsupportedVersionError("write", FORMAT_VERSION, unknown);
  }
}

/**
 * The save id in the first bytes of a file.
 *
 * @param bytes The first bytes of anything.
 * @returns 16 bytes, or undefined if these bytes are no header.
 */
export function saveIdOf(bytes: Uint8Array): Uint8Array | undefined {
  checkBytes(bytes, "file");
  if (bytes.length < HEADER_SIZE) return undefined;
  const magic = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(
    0,
    true,
  );
  return magic === MAGIC ? copyOf(bytes, SAVE_ID_AT, SAVE_ID_SIZE) : undefined;
}

/** A copy, also of a part of a Buffer, whose own slice is none. */
function copyOf(bytes: Uint8Array, start: number, size: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, start + size));
}

function hasKind(bytes: Uint8Array, kind: FileKind): boolean {
  for (let i = 0; i < 4; i++) {
    if (bytes[4 + i] !== kind.charCodeAt(i)) return false;
  }
  return true;
}

function checkSize(what: string, bytes: Uint8Array, size: number): void {
  if (bytes.length !== size) {
    throw new RangeError(
      `Cannot write header as its ${what} must have ${size} bytes: found ${bytes.length}`,
    );
  }
}

function checkU32(what: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new RangeError(
      `Cannot write header as its ${what} must be a u32: found ${value}`,
    );
  }
  return value;
}
