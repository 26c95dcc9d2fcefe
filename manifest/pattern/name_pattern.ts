/** Codes of a pattern or a name: bytes, or characters. */
export type Codes = ArrayLike<number>;

/** A set of a pattern: `[a-z]`. */
export interface CodeSet {
  readonly isNegated: boolean;
  /** The first and the last code of each range, one after another. */
  readonly bounds: readonly number[];
}

/** Any one code. */
export const ANY = -1;
/** Any number of codes. */
export const STAR = -2;
/** The first of the sets; those after it count down. */
export const FIRST_SET = -3;

/**
 * The pattern of one name. Its tokens are codes that stand for themselves, {@linkcode ANY},
 * {@linkcode STAR} or the number of a set.
 */
export class NamePattern {
  readonly #tokens: readonly number[];
  readonly #sets: readonly CodeSet[];
  readonly #hasStar: boolean;
  /** Codes that a name needs. */
  readonly #sizeMin: number;

  constructor(tokens: readonly number[], sets: readonly CodeSet[]) {
    this.#tokens = tokens;
    this.#sets = sets;
    let stars = 0;
    for (const token of tokens) if (token === STAR) stars++;
    this.#hasStar = stars > 0;
    this.#sizeMin = tokens.length - stars;
  }

  /** Whether the codes from `start` to `end` match. A `/` is not among them. */
  matches(codes: Codes, start: number, end: number): boolean {
    const tokens = this.#tokens;
    const size = end - start;
    if (size < this.#sizeMin) return false;
    if (!this.#hasStar && size > this.#sizeMin) return false;
    // Most names differ in the first or the last code. No code follows an empty pattern.
    const last = tokens[tokens.length - 1];
    if (last >= 0 && codes[end - 1] !== last) return false;
    if (tokens[0] >= 0 && codes[start] !== tokens[0]) return false;
    return this.#run(codes, start, end);
  }

  /** Goes through both once; after a failure only the last star takes one code more. */
  #run(codes: Codes, start: number, end: number): boolean {
    const tokens = this.#tokens;
    let at = start;
    let token = 0;
    let starToken = -1;
    let starAt = 0;
    while (at < end || token < tokens.length) {
      if (tokens[token] === STAR) {
        starToken = ++token;
        starAt = at;
      } else if (
        token < tokens.length && at < end &&
        this.#matchesOne(tokens[token], codes[at])
      ) {
        token++;
        at++;
      } else if (starToken >= 0 && starAt < end) {
        at = ++starAt;
        token = starToken;
      } else return false;
    }
    return true;
  }

  #matchesOne(token: number, code: number): boolean {
    if (token >= 0) return token === code;
    if (token === ANY) return true;
    const { isNegated, bounds } = this.#sets[FIRST_SET - token];
    for (let i = 0; i < bounds.length; i += 2) {
      if (code >= bounds[i] && code <= bounds[i + 1]) return !isNegated;
    }
    return isNegated;
  }
}
