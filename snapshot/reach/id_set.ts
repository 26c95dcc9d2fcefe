/** Segments, so that no growth doubles all of the memory. */
const SEGMENTS = 256;
const ENTRY_WORDS = 4;
const ENTRIES_FIRST = 16;

/**
 * A set of ids in typed arrays. It keeps 16 bytes of each, mixed with a number:
 * enough that no accident hides an object, in 20 to 45 bytes of memory.
 */
export class IdSet {
  /** Number of ids. */
  count = 0;
  readonly #segments: (Uint32Array | undefined)[] = new Array(SEGMENTS);
  readonly #counts = new Uint32Array(SEGMENTS);
  readonly #key = new Uint32Array(ENTRY_WORDS);

  /** Adds an id with a number up to 2^53 and a small one; says whether it was new. */
  add(ids: Uint8Array, start: number, number: number, small: number): boolean {
    this.#setKey(ids, start, number, small);
    return this.#addKey();
  }

  /** Whether an id was added with these numbers. */
  has(ids: Uint8Array, start: number, number: number, small: number): boolean {
    this.#setKey(ids, start, number, small);
    const key = this.#key;
    const words = this.#segments[key[0] & (SEGMENTS - 1)];
    return words !== undefined && isTaken(words, place(words, key));
  }

  /** Adds a pair of ids; says whether it was new. */
  addPair(
    a: Uint8Array,
    aStart: number,
    b: Uint8Array,
    bStart: number,
  ): boolean {
    const key = this.#key;
    for (let i = 0; i < ENTRY_WORDS; i++) {
      const other = Math.imul(wordAt(b, bStart + 4 * i), 0x9e3779b1);
      key[i] = wordAt(a, aStart + 4 * i) ^ (other >>> 15 | other << 17);
    }
    markTaken(key);
    return this.#addKey();
  }

  #setKey(ids: Uint8Array, start: number, number: number, small: number): void {
    const key = this.#key;
    for (let i = 0; i < ENTRY_WORDS; i++) key[i] = wordAt(ids, start + 4 * i);
    key[2] ^= number;
    key[3] ^= number / 0x1_0000_0000 | small << 24;
    markTaken(key);
  }

  #addKey(): boolean {
    const key = this.#key;
    const segment = key[0] & (SEGMENTS - 1);
    let words = this.#segments[segment];
    const capacity = words === undefined ? 0 : words.length / ENTRY_WORDS;
    if (this.#counts[segment] * 10 >= capacity * 7) words = this.#grow(segment);
    const at = place(words!, key);
    if (isTaken(words!, at)) return false;
    words!.set(key, at);
    this.#counts[segment]++;
    this.count++;
    return true;
  }

  #grow(segment: number): Uint32Array {
    const before = this.#segments[segment];
    const size = before === undefined
      ? ENTRIES_FIRST * ENTRY_WORDS
      : before.length * 2;
    const words = new Uint32Array(size);
    for (let at = 0; before !== undefined && at < before.length; at += 4) {
      if (!isTaken(before, at)) continue;
      const key = before.subarray(at, at + ENTRY_WORDS);
      words.set(key, place(words, key));
    }
    this.#segments[segment] = words;
    return words;
  }
}

/** Place of a key, or for it. */
function place(words: Uint32Array, key: Uint32Array): number {
  const mask = words.length / ENTRY_WORDS - 1;
  for (let slot = key[1] & mask;; slot = (slot + 1) & mask) {
    const at = slot * ENTRY_WORDS;
    if (!isTaken(words, at)) return at;
    if (
      words[at] === key[0] && words[at + 1] === key[1] &&
      words[at + 2] === key[2] && words[at + 3] === key[3]
    ) return at;
  }
}

/** An entry that is taken is not 0 in all four places. */
function markTaken(key: Uint32Array): void {
  if ((key[0] | key[1] | key[2] | key[3]) === 0) key[0] = 1;
}

function isTaken(words: Uint32Array, at: number): boolean {
  return (words[at] | words[at + 1] | words[at + 2] | words[at + 3]) !== 0;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 |
    bytes[at + 3] << 24;
}
