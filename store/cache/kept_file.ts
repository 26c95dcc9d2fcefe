/**
 * The layout of a file of the cache: the parts of one file of a store that were
 * read so far.
 *
 * A head of 16 bytes (magic, then the size of the file plus 1 where it is known),
 * for each 16 KiB of the file the number of bytes that are there from their
 * start (u16), then the bytes, all at their places. What is not there is a hole.
 *
 * @module
 */
import { closeSync, constants, futimesSync, openSync, readSync } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { writeAll } from "../file/durable_file.ts";

/** Bytes of a file that have one count. */
const UNIT_SIZE = 1 << 14;
/** Most bytes of a file that is kept: packs and tables of an index have fewer. */
export const KEPT_SIZE_MAX: number = 2 ** 31;

const MAGIC = "snapKPT1";
const HEAD_SIZE = 16;
const COUNT_SIZE = 2;
/** Where the bytes begin: a multiple of what disks write at once. */
const DATA_START = 65 * 4096;

const { O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_RDWR } = constants;

/** A range of a file; up to its end without a length. */
export interface KeptRange {
  readonly offset: number;
  readonly length?: number | undefined;
}

/** The part of a range that the cache has. */
export interface KeptBytes {
  /** The range, with zeros in the gap. */
  readonly bytes: Uint8Array;
  /** The gap, in bytes of the file: it may begin before the range. Empty where all is there. */
  readonly start: number;
  readonly end: number;
}

/**
 * Reads what is there of a range.
 *
 * @param path The file.
 * @param range The range.
 * @param isUsed Whether the time of its last use is to be set.
 * @returns The bytes and the gap; undefined where the end of the range is not known for sure.
 * @throws {RangeError} If the file is damaged.
 * @throws {Error} If it cannot be read.
 */
export function readKept(
  path: string,
  range: KeptRange,
  isUsed: boolean,
): KeptBytes | undefined {
  const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const head = new Uint8Array(HEAD_SIZE);
    readAll(file, head, 0);
    const size = sizeIn(head);
    const { offset, length } = range;
    const end = length === undefined ? size : offset + length;
    if (end === undefined || end < offset || end > KEPT_SIZE_MAX) {
      return undefined;
    }
    const gap = findGap(readCounts(file, offset, end), end);
    // Where the end is asked for, the store tells where it is.
    if (length === undefined && gap.start < gap.end) return undefined;
    const bytes = new Uint8Array(end - offset);
    const before = Math.max(0, gap.start - offset);
    readAll(file, bytes.subarray(0, before), DATA_START + offset);
    const after = Math.max(gap.end, offset);
    readAll(file, bytes.subarray(after - offset), DATA_START + after);
    if (isUsed) {
      const now = new Date();
      futimesSync(file, now, now);
    }
    return { bytes, ...gap };
  } finally {
    closeSync(file);
  }
}

/**
 * The answer for a file that is not there.
 *
 * @param range The range.
 * @returns A gap, or undefined where the end of the range is not known or too far.
 */
export function nothingOf(
  { offset, length }: KeptRange,
): KeptBytes | undefined {
  const end = offset + (length ?? Infinity);
  if (end > KEPT_SIZE_MAX) return undefined;
  const bytes = new Uint8Array(end - offset);
  return { bytes, start: offset - offset % UNIT_SIZE, end };
}

/** Counts of the units that a range touches, and the first of them. */
interface Counts {
  readonly first: number;
  readonly counts: Uint16Array;
}

function unitsOf(offset: number, end: number): Counts {
  const first = Math.floor(offset / UNIT_SIZE);
  const count = Math.ceil(end / UNIT_SIZE) - first;
  return { first, counts: new Uint16Array(Math.max(0, count)) };
}

function bytesOf({ counts }: Counts): Uint8Array {
  return new Uint8Array(counts.buffer);
}

function readCounts(file: number, offset: number, end: number): Counts {
  const units = unitsOf(offset, end);
  readSome(file, bytesOf(units), HEAD_SIZE + COUNT_SIZE * units.first);
  return units;
}

/** The bytes from the first that is not there to the last. */
function findGap(
  { first, counts }: Counts,
  end: number,
): { start: number; end: number } {
  /** Bytes that are not there of a unit, up to the end of the range. */
  const lacks = (i: number): boolean => {
    const unitStart = (first + i) * UNIT_SIZE;
    return counts[i] < Math.min(UNIT_SIZE, end - unitStart);
  };
  let from = 0, to = counts.length;
  while (from < to && !lacks(from)) from++;
  if (from === to) return { start: end, end };
  while (!lacks(to - 1)) to--;
  return {
    start: (first + from) * UNIT_SIZE + counts[from],
    end: Math.min(end, (first + to) * UNIT_SIZE),
  };
}

/** Reads as much as there is. */
function readSome(file: number, out: Uint8Array, at: number): number {
  let done = 0;
  while (done < out.length) {
    const count = readSync(file, out, done, out.length - done, at + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

function readAll(file: number, out: Uint8Array, at: number): void {
  const found = readSome(file, out, at);
  if (found === out.length) return;
  throw new RangeError(
    `Cannot read kept file as it needs ${out.length} bytes at ${at}: found ${found}`,
  );
}

/** The size of the file in the store that a head tells, if it does. */
function sizeIn(head: Uint8Array): number | undefined {
  const magic = String.fromCharCode(...head.subarray(0, MAGIC.length));
  if (magic !== MAGIC) {
    throw new RangeError("Cannot read kept file as its magic is another");
  }
  const view = new DataView(head.buffer, head.byteOffset);
  const size = view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32 - 1;
  if (size > KEPT_SIZE_MAX) {
    throw new RangeError(
      `Cannot read kept file as it is of at most ${KEPT_SIZE_MAX} bytes: found ${size}`,
    );
  }
  return size < 0 ? undefined : size;
}

function headWith(size: number | undefined): Uint8Array {
  const head = new Uint8Array(HEAD_SIZE);
  head.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(head.buffer);
  view.setUint32(8, (size ?? -1) + 1, true);
  return head;
}

/** Bytes for a file of the cache. */
export interface KeptPart {
  /** Where they lie in the file of the store. */
  readonly start: number;
  readonly bytes: Uint8Array;
  /** Size of the file in the store, where it is known. */
  readonly size?: number | undefined;
}

/**
 * Adds bytes to a file of the cache, which is made if it is absent. They count
 * once they are all written; another process may do the same.
 *
 * @param path The file.
 * @param part The bytes.
 * @throws {RangeError} If what is there is no file of the cache.
 * @throws {Error} If it cannot be written.
 */
export async function writeKept(path: string, part: KeptPart): Promise<void> {
  const { start, bytes, size } = part;
  const end = start + bytes.length;
  if (end > KEPT_SIZE_MAX) return;
  const file = await openToWrite(path);
  try {
    const head = new Uint8Array(HEAD_SIZE);
    const { bytesRead } = await file.read(head, 0, HEAD_SIZE, 0);
    const known = bytesRead === 0 ? undefined : sizeIn(head);
    if (known !== undefined && (size ?? known) !== known) {
      throw new RangeError(
        `Cannot write kept file as it is of ${known} bytes: found ${size}`,
      );
    }
    if (bytesRead === 0 || (known === undefined && size !== undefined)) {
      await writeAll(file, headWith(size), 0);
    }
    await writeAll(file, bytes, DATA_START + start);
    const units = unitsOf(start, end);
    const at = HEAD_SIZE + COUNT_SIZE * units.first;
    const counts = bytesOf(units);
    // What is behind the end of the file is zero, as the counts are.
    await file.read(counts, 0, counts.length, at);
    addCounts(units, start, end);
    await writeAll(file, counts, at);
  } finally {
    await file.close();
  }
}

function addCounts(
  { first, counts }: Counts,
  start: number,
  end: number,
): void {
  for (let i = 0; i < counts.length; i++) {
    const unitStart = (first + i) * UNIT_SIZE;
    // The file may have been made anew meanwhile: nothing counts behind a gap.
    if (counts[i] < start - unitStart) continue;
    counts[i] = Math.max(counts[i], Math.min(UNIT_SIZE, end - unitStart));
  }
}

async function openToWrite(path: string): Promise<FileHandle> {
  const flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return await open(path, flags, 0o600);
  }
}
