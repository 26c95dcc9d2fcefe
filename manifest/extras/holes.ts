/**
 * Lists of the holes of a file, as an attribute page keeps them.
 *
 * In memory a list is a `Float64Array` of pairs: start and size in bytes.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { readHoles } from "./read_holes.ts";
import { varintSize, writeVarint } from "../varint.ts";
import { FILE_SIZE_MAX, HOLE_SIZE_MIN } from "../limits.ts";

/** Joins holes that touch, drops small ones, and returns the number of values kept. */
function tidyHoles(holes: Float64Array, tidy: Float64Array): number {
  let end = 0;
  let kept = 0;
  for (let at = 0; at < holes.length; at += 2) {
    const start = holes[at];
    const size = holes[at + 1];
    if (!(start >= end && size > 0 && start + size <= FILE_SIZE_MAX)) {
      throw new RangeError(
        `Cannot encode holes as they must ascend, apart, up to 2^53 - 1: hole ${
          at / 2
        }`,
      );
    }
    if (kept > 0 && tidy[kept - 2] + tidy[kept - 1] === start) {
      tidy[kept - 1] += size;
    } else {
      if (kept > 0 && tidy[kept - 1] < HOLE_SIZE_MIN) kept -= 2;
      tidy[kept++] = start;
      tidy[kept++] = size;
    }
    end = start + size;
  }
  return kept > 0 && tidy[kept - 1] < HOLE_SIZE_MIN ? kept - 2 : kept;
}

/**
 * Encodes the holes of a file. Holes that touch become one, and holes below
 * 64 KiB are left out.
 *
 * @example Keep one hole
 * ```ts
 * import { decodeHoles, encodeHoles } from "@snap/manifest/extras";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const holes = Float64Array.of(4096, 65536, 1048576, 4096);
 * deepStrictEqual(decodeHoles(encodeHoles(holes)), Float64Array.of(4096, 65536));
 * ```
 *
 * @param holes Start and size of each hole, ascending.
 * @returns The list; empty when no hole is worth recording.
 * @throws {RangeError} If the holes do not ascend, overlap, or end above 2^53 − 1.
 */
export function encodeHoles(holes: Float64Array): Uint8Array {
  if (holes.length % 2 !== 0) {
    throw new RangeError(
      `Cannot encode holes as they must be pairs: found ${holes.length} values`,
    );
  }
  const tidy = new Float64Array(holes.length);
  const kept = tidyHoles(holes, tidy);
  let end = 0;
  let size = 0;
  for (let at = 0; at < kept; at += 2) {
    size += varintSize(tidy[at] - end) + varintSize(tidy[at + 1]);
    end = tidy[at] + tidy[at + 1];
  }
  const bytes = new Uint8Array(size);
  let write = 0;
  end = 0;
  for (let at = 0; at < kept; at += 2) {
    write = writeVarint(bytes, write, tidy[at] - end);
    write = writeVarint(bytes, write, tidy[at + 1]);
    end = tidy[at] + tidy[at + 1];
  }
  return bytes;
}

/**
 * Decodes a list of holes.
 *
 * @param bytes All bytes of the list.
 * @returns Start and size of each hole, ascending.
 * @throws {ManifestSyntaxError} If the bytes are not one canonical list.
 */
export function decodeHoles(bytes: Uint8Array): Float64Array {
  checkBytes(bytes, "holes");
  const holes = new Float64Array(2 * readHoles(bytes, 0, bytes.length));
  readHoles(bytes, 0, bytes.length, holes);
  return holes;
}
