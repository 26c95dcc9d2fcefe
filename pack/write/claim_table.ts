import { ID_SIZE } from "@snap/hash";

/** Result of {@linkcode ClaimTable.claim}. */
export const Claim = {
  /** Another thread has it, or will: do not store it. */
  taken: 0,
  /** The caller must store it, or fail the whole save. */
  yours: 1,
  /** There is no room to note it: store it, others may store it too. */
  full: 2,
} as const;
/** One of the values of {@linkcode Claim}. */
export type Claim = typeof Claim[keyof typeof Claim];

/** A slot holds nothing, is being filled, or holds one more than the place of its id. */
const EMPTY = 0, BUSY = -1;
const HEADER_WORDS = 16;
const ID_WORDS = ID_SIZE / 4;
/** Some slots have to stay empty however many workers claim at once: else probing never ends. */
const SLOTS_MIN = 256;
/** Slots in use, of a hundred, beyond which probing gets slow. */
const FILL_PERCENT_MAX = 60;

/**
 * The ids that one run of a saver has promised to store: open addressing over
 * shared memory, used by all workers at once.
 *
 * A slot is taken by compare-and-swap before the id is in it, and is ready only
 * after: a reader that meets a busy slot waits, since a half-written id would
 * compare as another one.
 */
export class ClaimTable {
  /** The shared memory, to hand to a worker. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #slots: number;

  /**
   * Lays the table over new or existing memory.
   *
   * @param source The number of slots, a power of two from 256, or another table's memory.
   * @throws {RangeError} If the number of slots is none of these.
   */
  constructor(source: number | SharedArrayBuffer) {
    this.buffer = typeof source === "number"
      ? new SharedArrayBuffer(4 * (HEADER_WORDS + source * (1 + ID_WORDS)))
      : source;
    this.#words = new Int32Array(this.buffer);
    this.#slots = (this.#words.length - HEADER_WORDS) / (1 + ID_WORDS);
    const { log2 } = Math;
    if (this.#slots < SLOTS_MIN || !Number.isInteger(log2(this.#slots))) {
      throw new RangeError(
        `Cannot make claim table of ${this.#slots} slots: a power of two from ${SLOTS_MIN} is needed`,
      );
    }
  }

  /** The number of ids in the table. */
  get count(): number {
    return Atomics.load(this.#words, 0);
  }

  /** Whether a claim was turned away for want of room. */
  get isFull(): boolean {
    return this.count * 100 >= this.#slots * FILL_PERCENT_MAX;
  }

  /**
   * Claims an id. Only who holds its bytes may: nobody else will store it.
   *
   * @param bytes Where the id is.
   * @param offset The offset of the id in `bytes`.
   * @returns Whether the caller is the one to store the object.
   */
  claim(bytes: Uint8Array, offset: number): Claim {
    const words = this.#words;
    const mask = this.#slots - 1;
    for (let slot = wordAt(bytes, offset) & mask;; slot = (slot + 1) & mask) {
      const state = HEADER_WORDS + slot;
      let seen = Atomics.load(words, state);
      if (seen === EMPTY) {
        if (this.isFull) return Claim.full;
        seen = Atomics.compareExchange(words, state, EMPTY, BUSY);
        if (seen === EMPTY) {
          // Ids stand one after the other: scattered, each takes a page of memory of its own.
          const place = Atomics.add(words, 0, 1);
          this.#write(place, bytes, offset);
          Atomics.store(words, state, place + 1);
          return Claim.yours;
        }
      }
      if (seen === BUSY) seen = this.#stateOf(slot);
      if (this.#equals(seen - 1, bytes, offset)) return Claim.taken;
    }
  }

  /**
   * Tells whether an id is claimed.
   *
   * @param bytes Where the id is.
   * @param offset The offset of the id in `bytes`.
   * @returns Whether somebody stores the object.
   */
  has(bytes: Uint8Array, offset: number): boolean {
    const mask = this.#slots - 1;
    for (let slot = wordAt(bytes, offset) & mask;; slot = (slot + 1) & mask) {
      const seen = this.#stateOf(slot);
      if (seen === EMPTY) return false;
      if (this.#equals(seen - 1, bytes, offset)) return true;
    }
  }

  /** Forgets every id. No other thread may use the table meanwhile. */
  clear(): void {
    // No slot leads to the ids then.
    this.#words.fill(0, 0, HEADER_WORDS + this.#slots);
  }

  /** The state of a slot, not busy: whoever takes it is waited for. */
  #stateOf(slot: number): number {
    const words = this.#words, state = HEADER_WORDS + slot;
    let seen = Atomics.load(words, state);
    while (seen === BUSY) seen = Atomics.load(words, state);
    return seen;
  }

  #write(place: number, bytes: Uint8Array, offset: number): void {
    const start = HEADER_WORDS + this.#slots + place * ID_WORDS;
    for (let i = 0; i < ID_WORDS; i++) {
      this.#words[start + i] = wordAt(bytes, offset + 4 * i);
    }
  }

  #equals(place: number, bytes: Uint8Array, offset: number): boolean {
    const start = HEADER_WORDS + this.#slots + place * ID_WORDS;
    for (let i = 0; i < ID_WORDS; i++) {
      if (this.#words[start + i] !== wordAt(bytes, offset + 4 * i)) {
        return false;
      }
    }
    return true;
  }
}

function wordAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset] | bytes[offset + 1] << 8 | bytes[offset + 2] << 16 |
    bytes[offset + 3] << 24;
}
