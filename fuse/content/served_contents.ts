/**
 * Large contents that were served in full, and those that are not what their id says.
 *
 * @module
 */
import { ID_SIZE } from "@snap/hash";

const ENTRIES = 1024;
const PROBES = 16;
/** Bytes that a count stands for: 2^31 of these are 8 TiB. */
const UNIT_SIZE = 4096;

// Words of an entry: state, units served, none, none, and the id.
const ENTRY_WORDS = 12;
const UNITS = 1;
const ID_WORD = 4;

const EMPTY = 0;
/** A thread writes the id. */
const BUSY = 1;
const COUNTING = 2;
/** Served in full, or known to be what its id says. */
const DONE = 3;
/** Known not to be what its id says. */
const BAD = 4;

/**
 * Table of large contents that were served in full, in memory that all workers share.
 * A recipe cannot be checked by its name, only by all of its bytes.
 *
 * The table forgets the contents for which it has no room.
 */
export class ServedContents {
  /** The shared memory, to be handed to workers. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  /** Makes the memory of an empty table, and a table over it. */
  static create(): ServedContents {
    return new ServedContents(new SharedArrayBuffer(4 * ENTRY_WORDS * ENTRIES));
  }

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
  }

  /**
   * Counts bytes that were handed on.
   *
   * @param content Bytes with its id, where the 32 bytes begin, and its size.
   * @param byteCount Number of bytes.
   * @returns Whether it is now, and was not before, as much as the content has.
   */
  add(
    content: {
      readonly id: Uint8Array;
      readonly start: number;
      readonly size: number;
    },
    byteCount: number,
  ): boolean {
    const { id, start, size } = content;
    const at = this.#find(id, start) ?? this.#insert(id, start);
    if (at === undefined) return false;
    const words = this.#words;
    if (Atomics.load(words, at) !== COUNTING) return false;
    const units = Math.ceil(byteCount / UNIT_SIZE);
    const before = Atomics.add(words, at + UNITS, units);
    if ((before + units) * UNIT_SIZE < size) return false;
    return Atomics.compareExchange(words, at, COUNTING, DONE) === COUNTING;
  }

  /**
   * Tells whether a content is known not to be what its id says.
   *
   * @param id Bytes with its id.
   * @param start Where the 32 bytes begin.
   */
  isBad(id: Uint8Array, start: number): boolean {
    const at = this.#find(id, start);
    return at !== undefined && Atomics.load(this.#words, at) === BAD;
  }

  /**
   * Says that a content is not what its id says.
   *
   * @param id Bytes with its id.
   * @param start Where the 32 bytes begin.
   */
  markBad(id: Uint8Array, start: number): void {
    const at = this.#find(id, start) ?? this.#insert(id, start);
    if (at === undefined) return;
    // Another content may have taken the place by now.
    for (const state of [DONE, COUNTING]) {
      const words = this.#words;
      if (Atomics.compareExchange(words, at, state, BUSY) !== state) continue;
      Atomics.store(words, at, this.#isOf(at, id, start) ? BAD : state);
      return;
    }
  }

  #at(id: Uint8Array, start: number, probe: number): number {
    const hash = id[start] | id[start + 1] << 8 | id[start + 2] << 16;
    return ENTRY_WORDS * ((hash + probe) & (ENTRIES - 1));
  }

  #find(id: Uint8Array, start: number): number | undefined {
    for (let probe = 0; probe < PROBES; probe++) {
      const at = this.#at(id, start, probe);
      const state = Atomics.load(this.#words, at);
      if (state === EMPTY) return undefined;
      if (state > BUSY && this.#isOf(at, id, start)) return at;
    }
    return undefined;
  }

  /** Takes an empty place, else that of a content that is done. */
  #insert(id: Uint8Array, start: number): number | undefined {
    for (const state of [EMPTY, DONE, COUNTING]) {
      for (let probe = 0; probe < PROBES; probe++) {
        const at = this.#at(id, start, probe);
        const words = this.#words;
        if (Atomics.compareExchange(words, at, state, BUSY) !== state) continue;
        this.#bytes.set(
          id.subarray(start, start + ID_SIZE),
          4 * (at + ID_WORD),
        );
        words[at + UNITS] = 0;
        Atomics.store(words, at, COUNTING);
        return at;
      }
    }
    return undefined;
  }

  #isOf(at: number, id: Uint8Array, start: number): boolean {
    const own = 4 * (at + ID_WORD);
    for (let i = 0; i < ID_SIZE; i++) {
      if (this.#bytes[own + i] !== id[start + i]) return false;
    }
    return true;
  }
}
