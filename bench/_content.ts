import type { Prng } from "../tests/_prng.ts";

const WORD_COUNT = 20_000;
const LOCAL_COUNT = 96;
const SYLLABLES =
  "al an ar be co con de di en er ex fi for ge in is it le lo ma me na ne no o on or pa per po pre pro ra re ri ro se si so sta su ta te ti to tra un ur ve vi"
    .split(" ");
const COMMON =
  "const let return if else for of import from export function class new this await throw null true false undefined string number readonly private static void"
    .split(" ");
const MARKS = [
  " ",
  " ",
  " ",
  " ",
  ".",
  ".",
  "(",
  ")",
  ", ",
  ", ",
  " = ",
  " => ",
  ": ",
  "[",
  "] ",
];

/** How far back copied text comes from: editors repeat what is near. */
const COPY_WINDOW = 12_000;

/**
 * Makes file content that compresses about as much as the real thing, the same
 * on every machine for the same seed.
 */
export class ContentMaker {
  readonly #prng: Prng;
  readonly #words: Uint8Array[];
  readonly #common: Uint8Array[] = COMMON.map(encode);
  readonly #marks: Uint8Array[] = MARKS.map(encode);
  #locals: Uint8Array[] = [];

  /** Makes a vocabulary out of the generator's numbers. */
  constructor(prng: Prng) {
    this.#prng = prng;
    this.#words = Array.from(
      { length: WORD_COUNT },
      () => encode(makeWord(prng)),
    );
    this.changeTopic();
  }

  /** Chooses the words that the next texts use most, as a folder's files share their names. */
  changeTopic(): void {
    this.#locals = Array.from({ length: LOCAL_COUNT }, () => this.#anyWord());
  }

  /**
   * Fills `out` with lines of source text.
   *
   * @param out What to fill.
   * @param copyShare How much of it repeats earlier lines of the same text, 0 to 1.
   */
  fillText(out: Uint8Array, copyShare: number): void {
    const prng = this.#prng;
    let at = 0;
    let lineEnd = 0;
    while (at < out.length) {
      if (at >= lineEnd) {
        if (at > 0) out[at++] = 10;
        lineEnd = at + 10 + prng.below(70);
        for (
          let indent = prng.below(5) * 2;
          indent > 0 && at < out.length;
          indent--
        ) out[at++] = 32;
        if (at > 400 && prng.unit() < copyShare) {
          const start = at - 200 - prng.below(Math.min(at - 200, COPY_WINDOW));
          const size = Math.min(40 + prng.below(160), out.length - at);
          out.copyWithin(at, start, start + size);
          at += size;
          continue;
        }
      }
      at = put(out, at, this.#token());
      at = put(out, at, this.#marks[prng.below(this.#marks.length)]);
    }
  }

  /** Fills `out` with something like machine code: short records, tables, zeros, names. */
  fillBinary(out: Uint8Array): void {
    const prng = this.#prng;
    let at = 0;
    while (at < out.length) {
      const kind = prng.below(16);
      if (kind === 0) {
        at = Math.min(out.length, at + prng.below(256)); // Zeros, as `out` comes empty.
      } else if (kind === 1) {
        for (let i = prng.below(8); i > 0; i--) {
          at = put(out, at, this.#anyWord()) + 1;
        }
      } else {
        for (
          let i = prng.below(24);
          i > 0 && at + 8 <= out.length;
          i--, at += 8
        ) {
          const word = prng.u32();
          out[at] = 0x48;
          out[at + 1] = 0x80 | (word & 7);
          out[at + 2] = word >>> 8 & 0x3f;
          out[at + 4] = word >>> 16;
          out[at + 7] = (word >>> 24) & 1;
        }
        at += 3;
      }
    }
  }

  /** Fills `out` with bytes that do not compress, as in images and archives. */
  fillRandom(out: Uint8Array): void {
    this.#prng.fill(out);
  }

  #token(): Uint8Array {
    const choice = this.#prng.below(8);
    if (choice < 3) return this.#locals[this.#skewed(LOCAL_COUNT)];
    if (choice < 6) return this.#common[this.#skewed(COMMON.length)];
    return this.#anyWord();
  }

  #anyWord(): Uint8Array {
    return this.#words[this.#skewed(WORD_COUNT)];
  }

  /** Returns an index below `count` where the first ones are much more frequent. */
  #skewed(count: number): number {
    const unit = this.#prng.unit();
    return Math.floor(unit * unit * unit * count);
  }
}

/** Returns a made-up word of two to four syllables. */
export function makeWord(prng: Prng): string {
  let word = "";
  for (let i = 2 + prng.below(3); i > 0; i--) word += prng.pick(SYLLABLES);
  return word;
}

function put(out: Uint8Array, at: number, bytes: Uint8Array): number {
  const size = Math.min(bytes.length, out.length - at);
  for (let i = 0; i < size; i++) out[at + i] = bytes[i];
  return at + size;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
