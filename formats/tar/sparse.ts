import { ArchiveSyntaxError } from "../errors.ts";
import type { ArchiveBytes } from "../archive_bytes.ts";
import { BLOCK_SIZE, readNumber } from "./header.ts";
import { latin } from "./pax.ts";

/** Most runs of data that one file may have. */
const RUNS_MAX = 1 << 20;
/** Digits of a number in a map. */
const DIGITS_MAX = 16;
const LINE_FEED = 0x0a;

/** Where the data of a file with holes lies: pairs of offset and size, ascending. */
export interface SparseMap {
  /** Size of the file. */
  readonly size: number;
  /** Offset and size of each run of data. */
  readonly runs: readonly number[];
}

/**
 * Reads the map of the first GNU format: in the header, and in blocks behind it.
 *
 * @param header The block of the header.
 */
export async function readOldSparse(
  header: Uint8Array,
  bytes: ArchiveBytes,
): Promise<SparseMap> {
  const at = bytes.offset - BLOCK_SIZE;
  const runs: number[] = [];
  const size = readNumber(header, 483, 12);
  if (size === undefined) throw mapError(at);
  readRuns(header, { start: 386, count: 4 }, runs, at);
  for (let isExtended = header[482] !== 0; isExtended;) {
    const block = await bytes.take(BLOCK_SIZE);
    readRuns(block, { start: 0, count: 21 }, runs, bytes.offset - BLOCK_SIZE);
    isExtended = block[504] !== 0;
  }
  return { size, runs };
}

function readRuns(
  block: Uint8Array,
  { start, count }: { readonly start: number; readonly count: number },
  runs: number[],
  offset: number,
): void {
  for (let i = 0; i < count; i++) {
    const at = start + 24 * i;
    if (block[at] === 0) return;
    const first = readNumber(block, at, 12);
    const size = readNumber(block, at + 12, 12);
    if (first === undefined || size === undefined) throw mapError(offset);
    push(runs, first, offset);
    push(runs, size, offset);
  }
}

/** Reads a map of numbers with commas between them, as in `GNU.sparse.map`. */
export function parseSparseMap(value: Uint8Array, offset: number): number[] {
  const runs: number[] = [];
  const text = latin(value);
  for (const part of text === "" ? [] : text.split(",")) {
    if (!/^\d{1,16}$/.test(part)) throw mapError(offset);
    push(runs, Number(part), offset);
  }
  return runs;
}

/** Reads the map that stands before the data: numbers, one a line, up to the end of a block. */
export async function readSparseBlocks(
  bytes: ArchiveBytes,
): Promise<{ readonly runs: number[]; readonly byteCount: number }> {
  const start = bytes.offset;
  const numbers: number[] = [];
  let count = 1, number = 0, digits = 0;
  while (numbers.length < count) {
    for (const byte of await bytes.take(BLOCK_SIZE)) {
      if (numbers.length === count) break;
      const digit = byte - 0x30;
      if (byte === LINE_FEED && digits > 0) {
        push(numbers, number, start);
        if (numbers.length === 1) count = 1 + 2 * number;
        if (count > 2 * RUNS_MAX) throw mapError(start);
        number = digits = 0;
      } else if (digit >= 0 && digit <= 9 && digits++ < DIGITS_MAX) {
        number = number * 10 + digit;
      } else throw mapError(start);
    }
  }
  return { runs: numbers.slice(1), byteCount: bytes.offset - start };
}

/**
 * Checks a map against the data that there is.
 *
 * @param storedSize Bytes of data.
 * @throws {ArchiveSyntaxError} If it does not fit.
 */
export function checkSparseMap(
  { size, runs }: SparseMap,
  storedSize: number,
  offset: number,
): void {
  let end = 0, sum = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const start = runs[i], length = runs[i + 1];
    if (!(start >= end && length >= 0)) throw mapError(offset);
    end = start + length;
    sum += length;
  }
  if (end > size || sum !== storedSize) throw mapError(offset);
}

/** Gives the holes between the runs: pairs of offset and size. */
export function holesOf({ size, runs }: SparseMap): Float64Array {
  const holes: number[] = [];
  let end = 0;
  for (let i = 0; i <= runs.length; i += 2) {
    const start = i < runs.length ? runs[i] : size;
    if (start > end) holes.push(end, start - end);
    end = start + (runs[i + 1] ?? 0);
  }
  return Float64Array.from(holes);
}

/** Gives the data between holes: what a map says that is written. */
export function runsOf(size: number, holes: Float64Array): number[] {
  const runs: number[] = [];
  let end = 0;
  for (let i = 0; i < holes.length; i += 2) {
    if (holes[i] > end) runs.push(end, holes[i] - end);
    end = holes[i] + holes[i + 1];
  }
  if (size > end) runs.push(end, size - end);
  // A hole at the end is told by a run of nothing behind it.
  if (end === size) runs.push(size, 0);
  return runs;
}

/** Writes a map as it stands before the data. */
export function sparseBlocks(runs: readonly number[]): Uint8Array {
  const text = [runs.length / 2, ...runs].map((one) => `${one}\n`).join("");
  const size = Math.ceil(text.length / BLOCK_SIZE) * BLOCK_SIZE;
  const bytes = new Uint8Array(size);
  new TextEncoder().encodeInto(text, bytes);
  return bytes;
}

function push(runs: number[], value: number, offset: number): void {
  if (!Number.isSafeInteger(value) || runs.length > 2 * RUNS_MAX) {
    throw mapError(offset);
  }
  runs.push(value);
}

function mapError(offset: number): ArchiveSyntaxError {
  return new ArchiveSyntaxError(
    "Cannot read archive as the map of a file with holes does not fit its data",
    offset,
  );
}
