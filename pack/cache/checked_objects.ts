import { getU32 } from "../bytes.ts";
import type { CachedObject } from "./frame_cache.ts";

// Words of an entry: state, offset, size, none, and the id: an index may claim two
// ids for the same bytes, and only one is true.
const ENTRY_WORDS = 12;
const OFFSET = 1;
const SIZE = 2;
const ID = 4;
const ID_WORDS = 8;
const ENTRY_EMPTY = 0;
const ENTRY_BUSY = 1;
const ENTRY_READY = 2;
const PROBES = 8;

/** Words that {@linkcode CheckedObjects} needs for `entryCount` objects. */
export function checkedWords(entryCount: number): number {
  return ENTRY_WORDS * entryCount;
}

/** A table of checked objects for each slot. It may lie in shared memory. */
export class CheckedObjects {
  readonly #words: Int32Array;
  readonly #entryCount: number;

  /**
   * @param words Words of all slots
   * @param entryCount Entries of a slot, a power of two
   */
  constructor(words: Int32Array, entryCount: number) {
    this.#words = words;
    this.#entryCount = entryCount;
  }

  /** Forgets the objects of a slot that nobody else has pinned. */
  clear(slot: number): void {
    const size = ENTRY_WORDS * this.#entryCount;
    this.#words.fill(ENTRY_EMPTY, slot * size, (slot + 1) * size);
  }

  has(slot: number, object: CachedObject): boolean {
    for (let probe = 0; probe < PROBES; probe++) {
      const at = this.#entry(slot, object, probe);
      const state = Atomics.load(this.#words, at);
      if (state === ENTRY_EMPTY) return false;
      if (state === ENTRY_READY && this.#equals(at, object)) return true;
    }
    return false;
  }

  /** Remembers an object, unless its places are taken. */
  add(slot: number, object: CachedObject): void {
    const words = this.#words;
    for (let probe = 0; probe < PROBES; probe++) {
      const at = this.#entry(slot, object, probe);
      // Most entries of a full table are looked at, and only an empty one is locked.
      const seen = Atomics.load(words, at);
      const state = seen === ENTRY_EMPTY
        ? Atomics.compareExchange(words, at, ENTRY_EMPTY, ENTRY_BUSY)
        : seen;
      if (state === ENTRY_READY && this.#equals(at, object)) return;
      if (state !== ENTRY_EMPTY) continue;
      for (let i = 0; i < ID_WORDS; i++) {
        words[at + ID + i] = getU32(object.id, 4 * i);
      }
      words[at + OFFSET] = object.offset;
      words[at + SIZE] = object.size;
      Atomics.store(words, at, ENTRY_READY);
      return;
    }
  }

  #entry(slot: number, object: CachedObject, probe: number): number {
    const hash = Math.imul(object.offset + 1, 0x9e3779b1) >>> 16;
    const entry = (hash + probe) & (this.#entryCount - 1);
    return ENTRY_WORDS * (slot * this.#entryCount + entry);
  }

  #equals(at: number, { id, offset, size }: CachedObject): boolean {
    const words = this.#words;
    if (words[at + OFFSET] !== offset || words[at + SIZE] !== size) {
      return false;
    }
    for (let i = 0; i < ID_WORDS; i++) {
      if (words[at + ID + i] !== (getU32(id, 4 * i) | 0)) return false;
    }
    return true;
  }
}
