import type { Prng } from "../tests/_prng.ts";

const WORD_COUNT = 20_000;
const LOCAL_COUNT = 96;
const IDIOM_COUNT = 500;
const PHRASE_COUNT = 120;
const SYLLABLES =
  "al an ar be co con de di en er ex fi for ge in is it le lo ma me na ne no o on or pa per po pre pro ra re ri ro se si so sta su ta te ti to tra un ur ve vi"
    .split(" ");
const COMMON =
  "const let return if else for of import from export function class new this await throw null true false undefined string number readonly private static void"
    .split(" ");
const MARKS = [
  ...[" ", " ", " ", " ", ".", ".", "(", ")", ", ", ", ", " = ", " => "],
  ...[": ", "[", "] ", ";", "();", ") {", "'", '"'],
];
const SHORT = "etnriaosclufdphmgvbyxwkjq_$".split("");
const SHORT_MARKS = [
  ...[".", ".", "(", ")", ",", ",", "=", ";", "?", ":", "&&", "||", "){"],
  ..."return |var |function(|if(|===|!|}|},|this.|null|void 0|new |0|1|.length"
    .split("|"),
];
const VLQ = "ACEGDIKSUOFMQHWYcekgiamqousLJNPRTVXZbdfhjlnprtvxz02468y13579+/w";

/** How far back copied text comes from: editors repeat what is near. */
const COPY_WINDOW = 12_000;

/** How much of a text is no new sequence of words. Shares of its lines, 0 to 1. */
export interface Repeats {
  /** Copies from a little earlier in the same text. */
  readonly copies: number;
  /** Phrases that the texts of one topic share. @default {0} */
  readonly phrases?: number;
  /** Idioms that all texts share. @default {0} */
  readonly idioms?: number;
}

/**
 * Makes file content that compresses about as much as the real thing, the same
 * on every machine for the same seed.
 */
export class ContentMaker {
  readonly #prng: Prng;
  readonly #words: Uint8Array[];
  readonly #common: Uint8Array[] = COMMON.map(encode);
  readonly #marks: Uint8Array[] = MARKS.map(encode);
  readonly #short: Uint8Array[] = SHORT.map(encode);
  readonly #shortMarks: Uint8Array[] = SHORT_MARKS.map(encode);
  readonly #idioms: Uint8Array[];
  #locals: Uint8Array[] = [];
  #phrases: Uint8Array[] = [];

  /** Makes a vocabulary out of the generator's numbers. */
  constructor(prng: Prng) {
    this.#prng = prng;
    this.#words = Array.from(
      { length: WORD_COUNT },
      () => encode(makeWord(prng)),
    );
    this.changeTopic();
    this.#idioms = this.#makePhrases(IDIOM_COUNT);
  }

  /** Chooses the words and phrases that the next texts share, as the files of one package do. */
  changeTopic(): void {
    this.#locals = Array.from({ length: LOCAL_COUNT }, () => this.#anyWord());
    this.#phrases = this.#makePhrases(PHRASE_COUNT);
  }

  /**
   * Fills `out` with lines of source text.
   *
   * @param out What to fill.
   * @param repeats How much of it repeats other text.
   * @param lineBreak What ends a line.
   */
  fillText(
    out: Uint8Array,
    repeats: Repeats,
    lineBreak: Uint8Array = LINE_BREAK,
  ): void {
    const { copies, phrases = 0, idioms = 0 } = repeats;
    const prng = this.#prng;
    let at = 0;
    while (at < out.length) {
      for (let indent = prng.below(5); indent > 0; indent--) {
        at = put(out, at, INDENT);
      }
      const kind = prng.unit();
      if (kind < copies) at = this.#copyBack(out, at, COPY_WINDOW);
      else if (kind < copies + phrases) {
        at = put(out, at, this.#phrases[this.#skewed(PHRASE_COUNT)]);
      } else if (kind < copies + phrases + idioms) {
        at = put(out, at, this.#idioms[this.#skewed(IDIOM_COUNT)]);
      }
      const lineEnd = at + prng.below(60);
      while (at < lineEnd && at < out.length) at = this.#putToken(out, at);
      at = put(out, at, lineBreak);
    }
  }

  /** Fills `out` with program text as minifiers leave it: one line, short names. */
  fillMinified(out: Uint8Array): void {
    const prng = this.#prng;
    let at = 0;
    while (at < out.length) {
      const kind = prng.below(64);
      if (kind < 2) at = this.#copyBack(out, at, 40_000);
      else if (kind < 10) {
        at = put(out, at, this.#locals[this.#skewed(LOCAL_COUNT)]);
      } else if (kind < 12) at = put(out, at, this.#anyWord());
      else at = put(out, at, this.#short[this.#skewed(SHORT.length)]);
      at = put(out, at, this.#shortMarks[this.#skewed(SHORT_MARKS.length)]);
    }
  }

  /** Fills `out` with a source map: names, mappings, and the sources themselves. */
  fillSourceMap(out: Uint8Array): void {
    const prng = this.#prng;
    let at = put(out, 0, encode('{"version":3,"names":["'));
    for (const end = out.length * 0.04; at < end;) {
      at = put(out, at, this.#anyWord());
      at = put(out, at, encode('","'));
    }
    at = put(out, at, encode('"],"mappings":"'));
    for (const end = out.length * 0.35; at < end;) {
      if (prng.below(5) < 2) at = this.#copyBack(out, at, 3000, 8, 24);
      else {
        for (let i = 4 + (prng.below(4) >> 1); i > 0 && at < out.length; i--) {
          out[at++] = VLQ.charCodeAt(this.#skewed(VLQ.length));
        }
      }
      if (at < out.length) out[at++] = prng.below(12) === 0 ? 59 : 44;
    }
    at = put(out, at, encode('","sourcesContent":["'));
    this.fillText(out.subarray(at), MAP_REPEATS, ESCAPED_BREAK);
  }

  /** Fills `out`, which comes empty, with something like machine code. */
  fillBinary(out: Uint8Array): void {
    const prng = this.#prng;
    let at = 0;
    while (at < out.length) {
      const kind = prng.below(24);
      if (kind === 0) at += prng.below(200); // Zeros.
      else if (kind === 1) {
        for (let i = prng.below(8); i > 0; i--) {
          at = put(out, at, this.#anyWord()) + 1;
        }
      } else if (kind < 12) at = this.#copyBack(out, at, 30_000, 12, 64);
      else at = this.#putCode(out, at);
    }
  }

  /** Fills `out` with bytes that do not compress, as in images and archives. */
  fillRandom(out: Uint8Array): void {
    this.#prng.fill(out);
  }

  /** Instructions: few opcodes, registers, small and large operands. */
  #putCode(out: Uint8Array, at: number): number {
    const prng = this.#prng;
    for (let i = prng.below(16); i > 0 && at + 8 <= out.length; i--) {
      const word = prng.u32();
      const opcode = this.#skewed(40);
      out[at++] = 0x48;
      out[at++] = 0x80 + opcode;
      out[at++] = 0xc0 | (word & 0x1f);
      if (opcode < 8) out[at++] = word >>> 8;
      else if (opcode < 20) {
        out[at++] = word >>> 8;
        out[at++] = word >>> 16 & 0x3f;
        out[at++] = 0;
        out[at++] = 0;
      }
    }
    return at;
  }

  #copyBack(
    out: Uint8Array,
    at: number,
    windowSize: number,
    sizeMin = 40,
    sizeSpread = 320,
  ): number {
    if (at < 400) return at;
    const prng = this.#prng;
    const start = at - 200 - prng.below(Math.min(at - 200, windowSize));
    const size = Math.min(sizeMin + prng.below(sizeSpread), out.length - at);
    out.copyWithin(at, start, start + size);
    return at + size;
  }

  #makePhrases(count: number): Uint8Array[] {
    const scratch = new Uint8Array(200);
    return Array.from({ length: count }, () => {
      const size = 30 + this.#prng.below(90);
      let at = 0;
      while (at < size) at = this.#putToken(scratch, at);
      return scratch.slice(0, at);
    });
  }

  #putToken(out: Uint8Array, at: number): number {
    const end = put(out, at, this.#token());
    return put(out, end, this.#marks[this.#prng.below(this.#marks.length)]);
  }

  #token(): Uint8Array {
    const choice = this.#prng.below(8);
    if (choice < 4) return this.#locals[this.#skewed(LOCAL_COUNT)];
    if (choice < 7) return this.#common[this.#skewed(COMMON.length)];
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

const LINE_BREAK = encode("\n");
const ESCAPED_BREAK = encode("\\n");
const INDENT = encode("  ");
const MAP_REPEATS: Repeats = { copies: 0.3, phrases: 0.2, idioms: 0.15 };

function put(out: Uint8Array, at: number, bytes: Uint8Array): number {
  const size = Math.min(bytes.length, out.length - at);
  for (let i = 0; i < size; i++) out[at + i] = bytes[i];
  return at + size;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
