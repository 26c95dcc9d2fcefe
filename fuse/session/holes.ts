import { decodeHoles, ExtrasReader } from "@snap/manifest/extras";
import type { NodeCursor } from "../nodes/node_cursor.ts";
import type { SessionContents } from "./session_parts.ts";

/** Largest list of holes that is read: two million of them. */
const LIST_SIZE_MAX = 16 * 1024 * 1024;

const NONE: Float64Array = new Float64Array(0);

/**
 * Lists of the holes of files: start and size of each. The last list is kept, as
 * a program that looks for holes in a file asks for one after the other.
 */
export class HoleLists {
  readonly #contents: SessionContents;
  readonly #extras: ExtrasReader = new ExtrasReader();
  #holes = NONE;
  #id = 0;
  #volume = 0;

  constructor(contents: SessionContents) {
    this.#contents = contents;
  }

  /** The holes of a file, or `undefined` while they are on their way. */
  of(file: NodeCursor): Float64Array | undefined {
    if (this.#id === file.id && this.#volume === file.volume) {
      return this.#holes;
    }
    const holes = this.#read(file);
    if (holes === undefined || holes === NONE) return holes;
    this.#holes = holes;
    this.#id = file.id;
    this.#volume = file.volume;
    return holes;
  }

  #read(file: NodeCursor): Float64Array | undefined {
    const bytes = file.page.extrasBytes(file.row + 1);
    if (bytes === undefined) return NONE;
    const extras = this.#extras;
    extras.begin(bytes);
    while (extras.next()) {
      if (!extras.isHoles) continue;
      const { size, valueStart } = extras;
      if (extras.isInline) {
        return decodeHoles(bytes.subarray(valueStart, valueStart + size));
      }
      if (size > LIST_SIZE_MAX) {
        throw new RangeError(
          `Cannot read holes: their list has ${size} bytes, at most ${LIST_SIZE_MAX} are read`,
        );
      }
      const list = this.#contents.whole(bytes, valueStart, size);
      return list && decodeHoles(list);
    }
    return NONE;
  }
}

/** Bytes of a file that are in no hole. */
export function dataSize(holes: Float64Array, fileSize: number): number {
  let size = fileSize;
  for (let at = 0; at < holes.length && holes[at] < fileSize; at += 2) {
    size -= Math.min(holes[at + 1], fileSize - holes[at]);
  }
  return size;
}

/** Finds the first hole that ends behind an offset. */
function holeAt(holes: Float64Array, offset: number): number {
  let low = 0;
  let high = holes.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holes[2 * middle] + holes[2 * middle + 1] <= offset) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

/** The first byte from an offset on that is in no hole; -1 if there is none. */
export function seekData(
  holes: Float64Array,
  fileSize: number,
  offset: number,
): number {
  let data = offset;
  for (
    let at = holeAt(holes, offset);
    at < holes.length && holes[at] <= data;
    at += 2
  ) data = holes[at] + holes[at + 1];
  return data < fileSize ? data : -1;
}

/** The first byte from an offset on that is in a hole, or the end of the file; -1 if the offset is not before it. */
export function seekHole(
  holes: Float64Array,
  fileSize: number,
  offset: number,
): number {
  if (offset >= fileSize) return -1;
  const at = holeAt(holes, offset);
  const start = at < holes.length ? holes[at] : fileSize;
  return Math.min(Math.max(start, offset), fileSize);
}
