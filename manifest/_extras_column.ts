import { growBytes, growU32 } from "./_columns.ts";
import type { PageLayout } from "./_page_layout.ts";

const EXTRAS_SIZE_MAX = 0xffff_ffff;

/** The extras of the rows of a page that is being built. They may come in any order. */
export class ExtrasColumn {
  /** How many rows have extras. */
  count = 0;
  #rows: Uint32Array = new Uint32Array(0);
  #ends: Uint32Array = new Uint32Array(0);
  #bytes: Uint8Array = new Uint8Array(0);
  #isAscending = true;

  /** Size of all extras in bytes. */
  get size(): number {
    return this.count === 0 ? 0 : this.#ends[this.count - 1];
  }

  /** Forgets all extras. */
  clear(): void {
    this.count = 0;
    this.#isAscending = true;
  }

  /** Adds the extras of a row. */
  add(row: number, extras: Uint8Array): void {
    const number = this.count;
    const start = this.size;
    const end = start + extras.length;
    if (end > EXTRAS_SIZE_MAX) {
      throw new RangeError(
        `Cannot add extras as a page has at most 2^32 - 1 bytes: found ${end}`,
      );
    }
    this.#rows = growU32(this.#rows, number + 1);
    this.#ends = growU32(this.#ends, number + 1);
    this.#bytes = growBytes(this.#bytes, end);
    if (number > 0 && row <= this.#rows[number - 1]) this.#isAscending = false;
    this.#rows[number] = row;
    this.#ends[number] = end;
    this.#bytes.set(extras, start);
    this.count++;
  }

  /** Writes rows, ends and extras into a page. */
  write(bytes: Uint8Array, view: DataView, layout: PageLayout): void {
    const order = this.#order();
    let rowBefore = -1;
    let end = 0;
    for (let at = 0; at < this.count; at++) {
      const number = order === undefined ? at : order[at];
      const row = this.#rows[number];
      if (row === rowBefore) {
        throw new RangeError(
          `Cannot build attribute page as extras are set once: row ${row}`,
        );
      }
      const extras = this.#bytes.subarray(
        number === 0 ? 0 : this.#ends[number - 1],
        this.#ends[number],
      );
      bytes.set(extras, layout.extras + end);
      end += extras.length;
      view.setUint32(layout.extraRows + 4 * at, row, true);
      view.setUint32(layout.extraEnds + 4 * at, end, true);
      rowBefore = row;
    }
  }

  #order(): Uint32Array | undefined {
    if (this.#isAscending) return undefined;
    const order = Uint32Array.from(
      { length: this.count },
      (_, number) => number,
    );
    return order.sort((a, b) => this.#rows[a] - this.#rows[b]);
  }
}
