import { ByteBlocks } from "../byte_blocks.ts";
import type { KeptRows } from "../tree/kept_rows.ts";
import { checkExtras } from "./check_extras.ts";
import { decodeExtras } from "./extras.ts";

const EXTRAS_SIZE_MAX = 0xffff_ffff;

/** Extras of rows; equal ones that follow each other are kept once, as many rows have the same. */
export class DraftExtras {
  /** Number of the extras of each row, from 1 on. */
  readonly #numbers: Uint32Array;
  /** Where each extras begin, and where the last end. */
  #starts: Uint32Array = new Uint32Array(4);
  readonly #bytes = new ByteBlocks();
  #count = 0;
  #isLastWithXattrs = false;
  #isLastWithHoles = false;
  /** Rows with extended attributes. */
  xattrCount = 0;
  /** Rows with holes. */
  holeCount = 0;

  constructor(rowsMax: number) {
    this.#numbers = new Uint32Array(rowsMax);
  }

  /** Sets the extras of a row. */
  set(row: number, extras: Uint8Array): void {
    if (this.#numbers[row] !== 0) {
      throw new RangeError(
        `Cannot set extras of row ${row}: they are set once, in order`,
      );
    }
    if (!this.#isLast(extras)) this.#append(extras);
    this.#numbers[row] = this.#count;
    if (this.#isLastWithXattrs) this.xattrCount++;
    if (this.#isLastWithHoles) this.holeCount++;
  }

  /** Counts rows with extras, and their bytes. */
  measure(rows: KeptRows): { count: number; size: number } {
    let count = 0, size = 0;
    rows.forEach((row) => {
      if (this.#numbers[row] === 0) return;
      count++;
      size += this.#sizeOf(row);
    });
    if (size > EXTRAS_SIZE_MAX) {
      throw new RangeError(
        `Cannot add extras up to ${size} bytes: a page has at most 2^32 - 1`,
      );
    }
    return { count, size };
  }

  /** Gives the rows with extras, where the extras of each end, and the extras. */
  *pieces(rows: KeptRows): Generator<Uint8Array> {
    const numbers = this.#numbers;
    let at = 0, end = 0;
    yield* rows.numbers((row) => {
      const number = at++;
      return numbers[row] === 0 ? undefined : number;
    });
    yield* rows.numbers((row) =>
      numbers[row] === 0 ? undefined : end += this.#sizeOf(row)
    );
    yield* rows.pieces((first, last) => this.#extrasOf(first, last));
  }

  *#extrasOf(first: number, last: number): Generator<Uint8Array> {
    for (let row = first; row < last; row++) {
      const number = this.#numbers[row];
      if (number === 0) continue;
      yield* this.#bytes.pieces(this.#starts[number - 1], this.#starts[number]);
    }
  }

  #sizeOf(row: number): number {
    const number = this.#numbers[row];
    return this.#starts[number] - this.#starts[number - 1];
  }

  #isLast(extras: Uint8Array): boolean {
    if (this.#count === 0) return false;
    const start = this.#starts[this.#count - 1];
    return start + extras.length === this.#bytes.size &&
      this.#bytes.holds(start, extras);
  }

  #append(extras: Uint8Array): void {
    checkExtras(extras, 0, extras.length);
    const { xattrs, holes } = decodeExtras(extras);
    this.#isLastWithXattrs = xattrs.length > 0;
    this.#isLastWithHoles = holes !== undefined;
    this.#bytes.append(extras);
    this.#count++;
    if (this.#count === this.#starts.length) {
      const grown = new Uint32Array(2 * this.#count);
      grown.set(this.#starts);
      this.#starts = grown;
    }
    this.#starts[this.#count] = this.#bytes.size;
  }
}
