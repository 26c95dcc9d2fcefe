import { INDEX_PAGE_SIZE } from "./index_table.ts";

const PAGES_PER_TABLE = 2 ** 20;
const NONE = -1;

/**
 * Pages of index tables in one buffer; the clock says which one goes. Places are
 * found by chains in typed arrays: a `Map` that changes with each miss makes
 * garbage that survives, for which V8 makes room in steps up to 64 MiB a thread.
 */
export class PageCache {
  /** All pages, one after the other. */
  readonly bytes: Uint8Array;
  readonly #keys: Float64Array;
  readonly #used: Uint8Array;
  /** The first slot of each chain, and the next of each slot. */
  readonly #firsts: Int32Array;
  readonly #nexts: Int32Array;
  #hand = 0;

  constructor(pageCount: number) {
    // Pages that are never touched cost nothing.
    this.bytes = new Uint8Array(pageCount * INDEX_PAGE_SIZE);
    this.#keys = new Float64Array(pageCount).fill(NONE);
    this.#used = new Uint8Array(pageCount);
    const chainCount = 2 ** Math.ceil(Math.log2(pageCount));
    this.#firsts = new Int32Array(chainCount).fill(NONE);
    this.#nexts = new Int32Array(pageCount);
  }

  /** Number of pages that fit. */
  get pageCount(): number {
    return this.#keys.length;
  }

  /** Where a page begins in `bytes`, -1 where it is not there. */
  find(table: number, page: number): number {
    const slot = this.#slot(table * PAGES_PER_TABLE + page);
    if (slot === NONE) return -1;
    this.#used[slot] = 1;
    return slot * INDEX_PAGE_SIZE;
  }

  /** Puts a page in the place of one that was not used of late. */
  put(table: number, page: number, bytes: Uint8Array): void {
    const key = table * PAGES_PER_TABLE + page;
    if (this.#slot(key) !== NONE) return;
    while (this.#used[this.#hand] !== 0) {
      this.#used[this.#hand] = 0;
      this.#hand = (this.#hand + 1) % this.pageCount;
    }
    const slot = this.#hand;
    this.#hand = (slot + 1) % this.pageCount;
    if (this.#keys[slot] !== NONE) this.#unlink(slot);
    const chain = this.#chain(key);
    this.#nexts[slot] = this.#firsts[chain];
    this.#firsts[chain] = slot;
    this.#keys[slot] = key;
    this.#used[slot] = 1;
    this.bytes.set(bytes, slot * INDEX_PAGE_SIZE);
  }

  #slot(key: number): number {
    let slot = this.#firsts[this.#chain(key)];
    while (slot !== NONE && this.#keys[slot] !== key) slot = this.#nexts[slot];
    return slot;
  }

  #unlink(slot: number): void {
    const chain = this.#chain(this.#keys[slot]);
    if (this.#firsts[chain] === slot) {
      this.#firsts[chain] = this.#nexts[slot];
      return;
    }
    let before = this.#firsts[chain];
    while (this.#nexts[before] !== slot) before = this.#nexts[before];
    this.#nexts[before] = this.#nexts[slot];
  }

  /** Pages that follow each other are in chains that do. */
  #chain(key: number): number {
    const table = Math.floor(key / PAGES_PER_TABLE);
    return (key + Math.imul(table, 0x9e3779b1)) & (this.#firsts.length - 1);
  }
}
