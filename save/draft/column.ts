/** Rows of a page: what is made at once. */
const PAGE_ROWS = 1 << 16;

type Cells = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/**
 * Numbers by their row, 0 where none was set. It grows page by page: nothing is
 * copied, and no more than a page is empty.
 */
export class Column {
  readonly #make: new (length: number) => Cells;
  readonly #pages: Cells[] = [];

  /**
   * Makes a column without pages.
   *
   * @param make The kind of its cells.
   */
  constructor(make: new (length: number) => Cells) {
    this.#make = make;
  }

  get(row: number): number {
    const page = this.#pages[row >>> 16];
    return page === undefined ? 0 : page[row & (PAGE_ROWS - 1)];
  }

  set(row: number, value: number): void {
    const number = row >>> 16;
    while (this.#pages.length <= number) {
      this.#pages.push(new this.#make(PAGE_ROWS));
    }
    this.#pages[number][row & (PAGE_ROWS - 1)] = value;
  }
}
