import { ArchiveSyntaxError } from "../errors.ts";

/** Size of a block of an archive: of each header, and what content is filled up to. */
export const BLOCK_SIZE = 512;

/** Letters of the types of entries. */
export const TypeFlag = {
  /** A file. */
  file: "0",
  /** One more name of a file. */
  hardLink: "1",
  /** A symbolic link. */
  symlink: "2",
  /** A character device. */
  characterDevice: "3",
  /** A block device. */
  blockDevice: "4",
  /** A directory. */
  directory: "5",
  /** A named pipe. */
  fifo: "6",
  /** Records that belong to the entry behind them. */
  pax: "x",
} as const;

const MAGIC_AT = 257;
const SUM_AT = 148;
const SPACE = 0x20;
const ZERO = 0x30;

/** A header, as it stands in its block. */
export interface TarHeader {
  /** The name: of ustar with its prefix. */
  readonly name: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content behind it. */
  readonly size: number;
  readonly mtime: number;
  /** The letter of its type; `0` where there is none. */
  readonly type: string;
  /** The target of a link. */
  readonly linkName: Uint8Array;
  readonly userName: Uint8Array;
  readonly groupName: Uint8Array;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/** Says whether a block is all zeros, as two are at the end of an archive. */
export function isZeroBlock(block: Uint8Array): boolean {
  for (let at = 0; at < BLOCK_SIZE; at++) if (block[at] !== 0) return false;
  return true;
}

/** Says whether a block can be a header: its sum is that of its bytes. */
export function isHeader(block: Uint8Array): boolean {
  let sum = 0, signedSum = 0;
  for (let at = 0; at < BLOCK_SIZE; at++) {
    const isSum = at >= SUM_AT && at < SUM_AT + 8;
    const byte = isSum ? SPACE : block[at];
    sum += byte;
    signedSum += byte < 0x80 ? byte : byte - 0x100;
  }
  const told = octal(block, SUM_AT, 8);
  return told === sum || told === signedSum;
}

/**
 * Reads a header.
 *
 * @param block Its 512 bytes.
 * @param offset Where it is in the archive.
 * @throws {ArchiveSyntaxError} If it is none, or a number in it is none.
 */
export function readHeader(block: Uint8Array, offset: number): TarHeader {
  if (!isHeader(block)) {
    throw new ArchiveSyntaxError(
      "Cannot read archive as the sum of a header is not that of its bytes",
      offset,
    );
  }
  const number = (at: number, size: number): number => {
    const value = readNumber(block, at, size);
    if (value !== undefined) return value;
    throw new ArchiveSyntaxError(
      "Cannot read archive as a header holds what is no number",
      offset + at,
    );
  };
  const isUstar = text(block, MAGIC_AT, 8) === "ustar\x0000";
  const isGnu = text(block, MAGIC_AT, 8) === "ustar  \0";
  const name = field(block, 0, 100);
  const prefix = isUstar ? field(block, 345, 155) : name.subarray(0, 0);
  const hasOwners = isUstar || isGnu;
  const none = name.subarray(0, 0);
  const type = String.fromCharCode(block[156]);
  const isDevice = hasOwners && (type === "3" || type === "4");
  return {
    name: prefix.length === 0 ? name.slice() : joined(prefix, name),
    mode: number(100, 8) & 0o7777,
    uid: number(108, 8),
    gid: number(116, 8),
    size: number(124, 12),
    mtime: number(136, 12),
    type: type === "\0" ? TypeFlag.file : type,
    linkName: field(block, 157, 100).slice(),
    userName: hasOwners ? field(block, 265, 32).slice() : none,
    groupName: hasOwners ? field(block, 297, 32).slice() : none,
    deviceMajor: isDevice ? number(329, 8) : 0,
    deviceMinor: isDevice ? number(337, 8) : 0,
  };
}

/**
 * Reads a number: octal digits, or from 0x80 on a binary number.
 *
 * @returns The number; `undefined` if it is none, or above 2^53 − 1.
 */
export function readNumber(
  block: Uint8Array,
  at: number,
  size: number,
): number | undefined {
  if ((block[at] & 0x80) === 0) return octal(block, at, size);
  const isNegative = (block[at] & 0x40) !== 0;
  let value = isNegative ? block[at] - 0x100 : block[at] & 0x7f;
  for (let i = 1; i < size; i++) {
    value = value * 256 + block[at + i];
    if (!Number.isSafeInteger(value)) return undefined;
  }
  return value;
}

/** Fields of a header that is written; what is larger than its field stands in a pax record, too. */
export interface HeaderFields {
  readonly name: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly type: string;
  readonly linkName?: Uint8Array;
  readonly userName?: Uint8Array;
  readonly groupName?: Uint8Array;
  readonly deviceMajor?: number;
  readonly deviceMinor?: number;
}

/** The largest number of a field of 7 octal digits. */
export const SMALL_MAX = 0o7777777;
/** The largest number of a field of 11 octal digits. */
export const LARGE_MAX = 0o77777777777;

/**
 * Writes a header of ustar. What is too long for its field is cut off, and what
 * is too large is written as 0: the pax records before it say what it is.
 *
 * @param out 512 bytes of zeros.
 */
export function writeHeader(out: Uint8Array, fields: HeaderFields): void {
  putBytes(out, 0, 100, fields.name);
  putOctal(out, 100, 8, fields.mode);
  putOctal(out, 108, 8, fields.uid);
  putOctal(out, 116, 8, fields.gid);
  putOctal(out, 124, 12, fields.size);
  putOctal(out, 136, 12, fields.mtime);
  out[156] = fields.type.charCodeAt(0);
  if (fields.linkName) putBytes(out, 157, 100, fields.linkName);
  putText(out, MAGIC_AT, "ustar\x0000");
  // One byte less: each ends with NUL.
  if (fields.userName) putBytes(out, 265, 31, fields.userName);
  if (fields.groupName) putBytes(out, 297, 31, fields.groupName);
  putOctal(out, 329, 8, fields.deviceMajor ?? 0);
  putOctal(out, 337, 8, fields.deviceMinor ?? 0);
  let sum = 8 * SPACE;
  for (let at = 0; at < BLOCK_SIZE; at++) sum += out[at];
  putOctal(out, SUM_AT, 7, sum);
  out[SUM_AT + 7] = SPACE;
}

function putOctal(
  out: Uint8Array,
  at: number,
  size: number,
  value: number,
): void {
  let left = value >= 0 && value < 8 ** (size - 1) ? value : 0;
  let digit = at + size - 2;
  for (; left > 0x7fffffff; left = Math.floor(left / 8)) {
    out[digit--] = ZERO + left % 8;
  }
  for (; digit >= at; left >>= 3) out[digit--] = ZERO + (left & 7);
}

function putBytes(
  out: Uint8Array,
  at: number,
  size: number,
  bytes: Uint8Array,
): void {
  out.set(bytes.length > size ? bytes.subarray(0, size) : bytes, at);
}

function putText(out: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
}

/** Reads octal digits with spaces and NUL around them; nothing is 0. */
function octal(
  block: Uint8Array,
  at: number,
  size: number,
): number | undefined {
  const end = at + size;
  let start = at;
  while (start < end && block[start] === SPACE) start++;
  let value = 0;
  for (; start < end; start++) {
    const digit = block[start] - ZERO;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; start < end; start++) {
    if (block[start] !== 0 && block[start] !== SPACE) return undefined;
  }
  return value;
}

function field(block: Uint8Array, at: number, size: number): Uint8Array {
  const end = block.indexOf(0, at);
  return block.subarray(at, end < 0 || end > at + size ? at + size : end);
}

function text(block: Uint8Array, at: number, size: number): string {
  return String.fromCharCode(...block.subarray(at, at + size));
}

function joined(prefix: Uint8Array, name: Uint8Array): Uint8Array {
  const all = new Uint8Array(prefix.length + 1 + name.length);
  all.set(prefix);
  all[prefix.length] = 0x2f;
  all.set(name, prefix.length + 1);
  return all;
}
