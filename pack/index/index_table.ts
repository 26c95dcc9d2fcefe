/**
 * The layout of an index table, and its head: header, counts, fan-out and the
 * tables that it replaces. The pages behind the head are read one by one.
 *
 * @module
 */
import { checkBytes, type Hasher } from "@snap/hash";
import {
  checkReadable,
  DocumentSyntaxError,
  encodeHeader,
  type ParsedHeader,
  parseHeader,
} from "@snap/store";
import { compareIds, getU32, ID_SIZE, isZero, setU32 } from "../bytes.ts";
import { IndexSyntaxError } from "../errors.ts";

/** Size of a page in bytes. */
export const INDEX_PAGE_SIZE = 4096;

/** Largest size of a table in bytes that is read; one that is written has at most 1 GiB. */
export const INDEX_SIZE_MAX: number = 2 ** 31 - 1;

/** Bytes of a head before its fan-out: enough to know how long it is. */
export const INDEX_HEAD_START = 128;

/** Rows in a page of packs or of objects. */
export const ROWS_PER_PAGE = 85;

/** Rows in a page of frames. */
export const FRAMES_PER_PAGE = 204;

/** Size of a pack row in bytes. */
export const PACK_ROW_SIZE = 48;

/** Numbers of rows in a table. */
export interface IndexCounts {
  /** Number of packs. */
  readonly packCount: number;
  /** Number of frames. */
  readonly frameCount: number;
  /** Number of objects. */
  readonly objectCount: number;
}

/** Numbers of pages in a table, and where each sort begins. */
export interface IndexPages {
  /** First page of frames; those of packs begin at 0. */
  readonly framesFirst: number;
  /** First page of objects. */
  readonly objectsFirst: number;
  /** Number of pages. */
  readonly count: number;
}

/** Fields of the head of a table. */
export interface IndexHead extends IndexCounts {
  /** Save id of the run that wrote the table, 16 bytes. */
  readonly saveId: Uint8Array;
  /** Random salt, 32 bytes. */
  readonly salt: Uint8Array;
  /** Time of writing, milliseconds since 1970. */
  readonly timeMs: number;
  /** Ids of the tables that this one replaces, ascending, 32 bytes each. */
  readonly replaces: Uint8Array;
  /** First four bytes of the first id of each object page. */
  readonly fanOut: Uint32Array;
}

/**
 * Counts the pages of a table.
 *
 * @param counts Its numbers of rows
 * @returns Its numbers of pages
 */
export function indexPages(counts: IndexCounts): IndexPages {
  const framesFirst = Math.ceil(counts.packCount / ROWS_PER_PAGE);
  const objectsFirst = framesFirst +
    Math.ceil(counts.frameCount / FRAMES_PER_PAGE);
  const count = objectsFirst + Math.ceil(counts.objectCount / ROWS_PER_PAGE);
  return { framesFirst, objectsFirst, count };
}

/**
 * Size of a head with its padding: the offset of the first page.
 *
 * @param counts Numbers of objects and of replaced tables
 * @returns Its size in bytes, a multiple of 4096
 */
export function indexHeadSize(
  counts: { readonly objectCount: number; readonly replacedCount: number },
): number {
  const size = INDEX_HEAD_START +
    4 * Math.ceil(counts.objectCount / ROWS_PER_PAGE) +
    ID_SIZE * counts.replacedCount + ID_SIZE;
  return Math.ceil(size / INDEX_PAGE_SIZE) * INDEX_PAGE_SIZE;
}

/**
 * Encodes a head.
 *
 * @param head What it says
 * @param hasher What hashes
 * @returns Its bytes, up to the first page
 */
export function encodeIndexHead(head: IndexHead, hasher: Hasher): Uint8Array {
  const replacedCount = head.replaces.length / ID_SIZE;
  const bytes = new Uint8Array(indexHeadSize({ ...head, replacedCount }));
  const { saveId, salt } = head;
  bytes.set(encodeHeader({ kind: "INDX", saveId, salt }));
  setU32(bytes, 72, head.packCount);
  setU32(bytes, 76, head.frameCount);
  setU32(bytes, 80, head.objectCount);
  setU32(bytes, 84, replacedCount);
  setU32(bytes, 88, head.timeMs % 2 ** 32);
  setU32(bytes, 92, Math.floor(head.timeMs / 2 ** 32));
  setU32(bytes, 96, bytes.length);
  let at = INDEX_HEAD_START;
  for (const prefix of head.fanOut) {
    setU32(bytes, at, prefix);
    at += 4;
  }
  bytes.set(head.replaces, at);
  at += head.replaces.length;
  hasher.hashInto(bytes.subarray(0, at), bytes, at);
  return bytes;
}

/**
 * Tells how long a head is.
 *
 * @param start At least the first 128 bytes of the file
 * @param fileSize Size of the file in bytes
 * @returns Size of the head in bytes, at most that of the file
 * @throws {IndexSyntaxError} If the numbers do not agree with the size
 */
export function readIndexHeadSize(start: Uint8Array, fileSize: number): number {
  checkBytes(start, "index table");
  if (start.length < INDEX_HEAD_START) {
    fail(`it needs ${INDEX_HEAD_START} bytes: found ${start.length}`, 0);
  }
  if (!(fileSize <= INDEX_SIZE_MAX)) {
    fail(`it has at most ${INDEX_SIZE_MAX} bytes: found ${fileSize}`, 0);
  }
  readHeader(start);
  const counts = readCounts(start);
  const headSize = indexHeadSize(counts);
  if (getU32(start, 96) !== headSize) {
    fail(`its first page is at ${headSize}: found ${getU32(start, 96)}`, 96);
  }
  if (!isZero(start, 100, INDEX_HEAD_START)) {
    fail("bytes 100 to 127 are 0", 100);
  }
  const size = headSize + indexPages(counts).count * INDEX_PAGE_SIZE;
  if (size !== fileSize) {
    fail(
      `its ${counts.packCount} packs, ${counts.frameCount} frames and ${counts.objectCount} objects need ${size} bytes: found ${fileSize}`,
      72,
    );
  }
  return headSize;
}

/**
 * Decodes a head, strictly.
 *
 * @param bytes The head; longer than it is allowed
 * @param fileSize Size of the file in bytes
 * @param hasher What hashes
 * @returns What it says, in memory of its own
 * @throws {IndexSyntaxError} If the bytes are no head of such a file
 * @throws {UnsupportedVersionError} If the file needs a newer reader
 */
export function decodeIndexHead(
  bytes: Uint8Array,
  fileSize: number,
  hasher: Hasher,
): IndexHead {
  const headSize = readIndexHeadSize(bytes, fileSize);
  if (bytes.length < headSize) {
    fail(`it needs ${headSize} bytes: found ${bytes.length}`, bytes.length);
  }
  const counts = readCounts(bytes);
  const pageCount = Math.ceil(counts.objectCount / ROWS_PER_PAGE);
  const replacedStart = INDEX_HEAD_START + 4 * pageCount;
  const hashStart = replacedStart + ID_SIZE * counts.replacedCount;
  const hash = new Uint8Array(ID_SIZE);
  hasher.hashInto(bytes.subarray(0, hashStart), hash);
  if (compareIds(hash, 0, bytes, hashStart) !== 0) {
    fail(
      "its BLAKE3 needs to be the one that follows: found another",
      hashStart,
    );
  }
  if (!isZero(bytes, hashStart + ID_SIZE, headSize)) {
    fail("bytes up to the first page are 0", hashStart + ID_SIZE);
  }
  const timeMs = getU32(bytes, 88) + getU32(bytes, 92) * 2 ** 32;
  if (!Number.isSafeInteger(timeMs)) {
    fail(`its time is below 2^53: found ${timeMs}`, 88);
  }
  const header = readHeader(bytes);
  checkReadable(header);
  const { saveId, salt } = header;
  const replaces = bytes.slice(replacedStart, hashStart);
  for (let at = ID_SIZE; at < replaces.length; at += ID_SIZE) {
    if (compareIds(replaces, at - ID_SIZE, replaces, at) < 0) continue;
    fail("the tables that it replaces ascend", replacedStart + at);
  }
  const fanOut = readFanOut(bytes, pageCount);
  const { packCount, frameCount, objectCount } = counts;
  return {
    packCount,
    frameCount,
    objectCount,
    saveId,
    salt,
    timeMs,
    replaces,
    fanOut,
  };
}

function readCounts(
  bytes: Uint8Array,
): IndexCounts & { readonly replacedCount: number } {
  return {
    packCount: getU32(bytes, 72),
    frameCount: getU32(bytes, 76),
    objectCount: getU32(bytes, 80),
    replacedCount: getU32(bytes, 84),
  };
}

function readFanOut(bytes: Uint8Array, pageCount: number): Uint32Array {
  const fanOut = new Uint32Array(pageCount);
  let before = 0;
  for (let i = 0; i < pageCount; i++) {
    const at = INDEX_HEAD_START + 4 * i;
    const prefix = getU32(bytes, at);
    if (prefix < before) fail(`its fan-out ascends: found ${prefix}`, at);
    fanOut[i] = prefix;
    before = prefix;
  }
  return fanOut;
}

function readHeader(bytes: Uint8Array): ParsedHeader {
  try {
    return parseHeader("INDX", bytes);
  } catch (cause) {
    if (!(cause instanceof DocumentSyntaxError)) throw cause;
    throw new IndexSyntaxError(cause.message, cause.offset, { cause });
  }
}

function fail(need: string, offset: number): never {
  throw new IndexSyntaxError(`Cannot read index table as ${need}`, offset);
}
