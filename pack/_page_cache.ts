import { INDEX_PAGE_SIZE } from "./index_table.ts";

const PAGES_PER_TABLE = 2 ** 20;

/** Pages of index tables in one buffer; the clock says which one goes. */
export class PageCache {
  /** All pages, one after the other. */
  readonly bytes: Uint8Array;
  readonly #slots = new Map<number, number>();
  readonly #keys: Float64Array;
  readonly #used: Uint8Array;
  #hand = 0;

  constructor(pageCount: number) {
    // Pages that are never touched cost nothing.
    this.bytes = new Uint8Array(pageCount * INDEX_PAGE_SIZE);
    this.#keys = new Float64Array(pageCount).fill(-1);
    this.#used = new Uint8Array(pageCount);
  }

  /** Number of pages that fit. */
  get pageCount(): number {
    return this.#keys.length;
  }

  /** Where a page begins in `bytes`, -1 where it is not there. */
  find(table: number, page: number): number {
    const slot = this.#slots.get(table * PAGES_PER_TABLE + page);
    if (slot === undefined) return -1;
    this.#used[slot] = 1;
    return slot * INDEX_PAGE_SIZE;
  }

  /** Puts a page in the place of one that was not used of late. */
  put(table: number, page: number, bytes: Uint8Array): void {
    const key = table * PAGES_PER_TABLE + page;
    if (this.#slots.has(key)) return;
    while (this.#used[this.#hand] !== 0) {
      this.#used[this.#hand] = 0;
      this.#hand = (this.#hand + 1) % this.pageCount;
    }
    const slot = this.#hand;
    this.#hand = (slot + 1) % this.pageCount;
    if (this.#keys[slot] >= 0) this.#slots.delete(this.#keys[slot]);
    this.#keys[slot] = key;
    this.#used[slot] = 1;
    this.#slots.set(key, slot);
    this.bytes.set(bytes, slot * INDEX_PAGE_SIZE);
  }
}
