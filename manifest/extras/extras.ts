/**
 * Extras of a row of an attribute page: extended attributes and holes.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { compareRuns, ID_SIZE } from "../bytes.ts";
import { checkExtras, ExtraTag } from "./check_extras.ts";
import { VarintReader, varintSize, writeVarint } from "../varint.ts";
import { readHoles } from "./read_holes.ts";
import {
  FILE_SIZE_MAX,
  INLINE_SIZE_MAX,
  XATTR_NAME_SIZE_MAX,
} from "../limits.ts";

/** Bytes that stand in the page, or, above 1 KiB, are content named by an id. */
export interface ExtraValue {
  /** Number of the bytes. */
  readonly size: number;
  /** The bytes, when they are at most 1 KiB. */
  readonly value?: Uint8Array;
  /** The 32 bytes of the id of the content, when it is more. */
  readonly id?: Uint8Array;
}

/** One extended attribute. */
export interface ExtendedAttribute extends ExtraValue {
  /** Name, as the operating system has it: 1 to 255 bytes without NUL. */
  readonly name: Uint8Array;
}

/** Extended attributes and holes of an entry. */
export interface Extras {
  /** Extended attributes by ascending name. */
  readonly xattrs: readonly ExtendedAttribute[];
  /** The list of holes; `decodeHoles` reads its bytes. */
  readonly holes?: ExtraValue;
}

function checkValue(value: ExtraValue): void {
  const { size } = value;
  if (!(size >= 0 && size <= FILE_SIZE_MAX && Number.isInteger(size))) {
    throw new RangeError(
      `Cannot encode extras as a size must be 0 to 2^53 - 1: found ${size}`,
    );
  }
  if (
    size <= INLINE_SIZE_MAX
      ? value.value?.length !== size
      : value.id?.length !== ID_SIZE
  ) {
    throw new RangeError(
      `Cannot encode extras as up to ${INLINE_SIZE_MAX} bytes need a value and more need an id: found size ${size}`,
    );
  }
  checkBytes(size <= INLINE_SIZE_MAX ? value.value : value.id, "extras");
}

function checkAttributes(xattrs: readonly ExtendedAttribute[]): void {
  let before: Uint8Array | undefined;
  for (const xattr of xattrs) {
    const { name } = xattr;
    checkValue(xattr);
    if (
      name.length < 1 || name.length > XATTR_NAME_SIZE_MAX || name.includes(0)
    ) {
      throw new RangeError(
        `Cannot encode extras as a name must have 1 to ${XATTR_NAME_SIZE_MAX} bytes without NUL: found ${name.length}`,
      );
    }
    if (
      before &&
      compareRuns(before, 0, before.length, name, 0, name.length) === 0
    ) {
      throw new RangeError("Cannot encode extras as each name must stand once");
    }
    before = name;
  }
}

function valueSize(value: ExtraValue): number {
  return varintSize(value.size) +
    (value.size <= INLINE_SIZE_MAX ? value.size : ID_SIZE);
}

function writeValue(bytes: Uint8Array, at: number, value: ExtraValue): number {
  const start = writeVarint(bytes, at, value.size);
  const content = value.size <= INLINE_SIZE_MAX ? value.value! : value.id!;
  bytes.set(content, start);
  return start + content.length;
}

/**
 * Encodes the extras of one row.
 *
 * @example Encode and decode one attribute
 * ```ts
 * import { decodeExtras, encodeExtras } from "@snap/manifest/extras";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const text = new TextEncoder();
 * const extras = {
 *   xattrs: [{ name: text.encode("user.mime"), value: text.encode("text/plain"), size: 10 }],
 * };
 * deepStrictEqual(decodeExtras(encodeExtras(extras)), extras);
 * ```
 *
 * @param extras Attributes in any order, and the encoded list of holes.
 * @returns The bytes; none when there are no extras.
 * @throws {RangeError} If a name is not one or repeats, or a value above 1 KiB has no id.
 */
export function encodeExtras(extras: Extras): Uint8Array {
  const { holes } = extras;
  for (const { name } of extras.xattrs) checkBytes(name, "attribute name");
  const xattrs = [...extras.xattrs].sort((a, b) =>
    compareRuns(a.name, 0, a.name.length, b.name, 0, b.name.length)
  );
  checkAttributes(xattrs);
  let size = 0;
  for (const xattr of xattrs) {
    size += 1 + varintSize(xattr.name.length) + xattr.name.length +
      valueSize(xattr);
  }
  if (holes !== undefined) {
    checkValue(holes);
    if (holes.value) readHoles(holes.value, 0, holes.value.length);
    size += 1 + valueSize(holes);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const xattr of xattrs) {
    bytes[at++] = xattr.size <= INLINE_SIZE_MAX
      ? ExtraTag.attribute
      : ExtraTag.largeAttribute;
    at = writeVarint(bytes, at, xattr.name.length);
    bytes.set(xattr.name, at);
    at = writeValue(bytes, at + xattr.name.length, xattr);
  }
  if (holes !== undefined) {
    bytes[at++] = holes.size <= INLINE_SIZE_MAX
      ? ExtraTag.holes
      : ExtraTag.largeHoles;
    writeValue(bytes, at, holes);
  }
  return bytes;
}

function readValue(bytes: Uint8Array, reader: VarintReader): ExtraValue {
  const size = reader.read();
  const start = reader.at;
  const isInline = size <= INLINE_SIZE_MAX;
  reader.at = start + (isInline ? size : ID_SIZE);
  const content = bytes.subarray(start, reader.at);
  return isInline ? { size, value: content } : { size, id: content };
}

/**
 * Decodes the extras of one row.
 *
 * @param bytes All bytes of the extras.
 * @returns The extras, as views of the bytes.
 * @throws {ManifestSyntaxError} If the bytes are not canonical extras.
 */
export function decodeExtras(bytes: Uint8Array): Extras {
  checkBytes(bytes, "extras");
  checkExtras(bytes, 0, bytes.length);
  const reader = new VarintReader(bytes, 0, bytes.length);
  const xattrs: ExtendedAttribute[] = [];
  while (!reader.isAtEnd) {
    const tag = bytes[reader.at++];
    if (tag === ExtraTag.holes || tag === ExtraTag.largeHoles) {
      return { xattrs, holes: readValue(bytes, reader) };
    }
    const nameEnd = reader.readEnd();
    const name = bytes.subarray(reader.at, nameEnd);
    reader.at = nameEnd;
    xattrs.push({ name, ...readValue(bytes, reader) });
  }
  return { xattrs };
}
