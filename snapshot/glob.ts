/**
 * Patterns for names and paths, which are bytes and need not be UTF-8.
 *
 * @module
 */

/** What a part of a pattern matches. */
type Part =
  | { readonly kind: "star" | "stars" | "any" }
  | { readonly kind: "one"; readonly code: number }
  | {
    readonly kind: "set";
    readonly isNegated: boolean;
    readonly ranges: readonly (readonly [number, number])[];
  };

const SLASH = 0x2f;
const BACKSLASH = 0x5c;
/** A byte that is not part of valid UTF-8 counts as one character above all others. */
const BYTE_BASE = 0x110000;

/**
 * A pattern. `?` matches one character, `*` any number, neither a `/`; `**`
 * matches any number, `/` too, and `**` with a `/` behind it also nothing; `[a-z]`
 * one character of a set and `[!a-z]` one that is not in it; `\` takes the next
 * character as it is. Upper and lower case differ.
 *
 * @example Match names
 * ```ts
 * import { Glob } from "@snap/snapshot/glob";
 * import { strictEqual } from "node:assert/strict";
 *
 * const text = new TextEncoder();
 * strictEqual(new Glob("*.t[sx]").matches(text.encode("mod.ts")), true);
 * strictEqual(new Glob("src/*.ts").matches(text.encode("src/a/b.ts")), false);
 * strictEqual(new Glob("src/**\/*.ts").matches(text.encode("src/a/b.ts")), true);
 * ```
 */
export class Glob {
  readonly #parts: readonly Part[];

  /**
   * Reads a pattern.
   *
   * @param pattern The pattern.
   * @throws {SyntaxError} If a set is not closed, or `\` ends the pattern.
   */
  constructor(pattern: string) {
    this.#parts = parse([...pattern].map((one) => one.codePointAt(0)!));
  }

  /**
   * Says whether all of a name or path matches.
   *
   * @param bytes The name or path.
   * @returns Whether it does.
   */
  matches(bytes: Uint8Array): boolean {
    return matchParts(this.#parts, decode(bytes));
  }
}

/** Characters of bytes; those that are not UTF-8 one by one. */
function decode(bytes: Uint8Array): number[] {
  const codes: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = sequenceSize(bytes, at);
    if (size === 0) codes.push(BYTE_BASE + bytes[at++]);
    else {
      let code = size === 1 ? bytes[at] : bytes[at] & (0xff >> (size + 1));
      for (let next = at + 1; next < at + size; next++) {
        code = code << 6 | bytes[next] & 0x3f;
      }
      codes.push(code);
      at += size;
    }
  }
  return codes;
}

/** Size of the sequence at `at`; 0 where there is none. Overlong ones do not matter here. */
function sequenceSize(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  for (let next = at + 1; next < at + size; next++) {
    if ((bytes[next] & 0xc0) !== 0x80) return 0;
  }
  return size;
}

function parse(codes: readonly number[]): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at];
    const letter = String.fromCodePoint(code);
    if (letter === "*") {
      if (codes[at + 1] !== code) parts.push({ kind: "star" });
      else {
        parts.push({ kind: "stars" });
        while (codes[at + 1] === code) at++;
      }
    } else if (letter === "?") parts.push({ kind: "any" });
    else if (letter === "[") {
      const end = setEnd(codes, at);
      parts.push(parseSet(codes.slice(at + 1, end)));
      at = end;
    } else if (code === BACKSLASH) {
      at++;
      if (at === codes.length) fail("a character must follow a backslash");
      parts.push({ kind: "one", code: codes[at] });
    } else parts.push({ kind: "one", code });
  }
  return parts;
}

/** Where the `]` of a set is: not the first of its characters. */
function setEnd(codes: readonly number[], start: number): number {
  let at = start + 1;
  if (codes[at] === 0x21 || codes[at] === 0x5e) at++;
  const end = codes.indexOf(0x5d, at + 1);
  if (end < 0) fail("a set must end with ]");
  return end;
}

function parseSet(codes: readonly number[]): Part {
  const isNegated = codes[0] === 0x21 || codes[0] === 0x5e;
  const ranges: [number, number][] = [];
  for (let at = isNegated ? 1 : 0; at < codes.length; at++) {
    const isRange = codes[at + 1] === 0x2d && at + 2 < codes.length;
    ranges.push([codes[at], codes[isRange ? at + 2 : at]]);
    if (isRange) at += 2;
  }
  return { kind: "set", isNegated, ranges };
}

/** Matches one character; stars never come here. */
function matchesOne(part: Part, code: number): boolean {
  if (part.kind === "one") return part.code === code;
  if (code === SLASH) return false;
  if (part.kind !== "set") return part.kind === "any";
  const isIn = part.ranges.some(([low, high]) => code >= low && code <= high);
  return isIn !== part.isNegated;
}

/** Where a match may go on after a star took one character more. */
interface Retry {
  part: number;
  at: number;
}

/** Goes through both once; after a failure only the last star of each sort takes more. */
function matchParts(parts: readonly Part[], codes: readonly number[]): boolean {
  let star: Retry | undefined;
  let stars: Retry | undefined;
  let part = 0;
  let at = 0;
  while (at < codes.length || part < parts.length) {
    const kind = parts[part]?.kind;
    if (kind === "star") star = { part: ++part, at };
    else if (kind === "stars") {
      star = undefined;
      part++;
      const next = parts[part];
      const isFolder = next?.kind === "one" && next.code === SLASH;
      // "**/" also stands for no folder at all.
      stars = { part, at };
      if (isFolder && (at === 0 || codes[at - 1] === SLASH)) {
        if (matchParts(parts.slice(part + 1), codes.slice(at))) return true;
      }
    } else if (
      kind !== undefined && at < codes.length &&
      matchesOne(parts[part], codes[at])
    ) {
      part++;
      at++;
    } else if (
      star !== undefined && star.at < codes.length && codes[star.at] !== SLASH
    ) {
      at = ++star.at;
      part = star.part;
    } else if (stars !== undefined && stars.at < codes.length) {
      star = undefined;
      at = ++stars.at;
      part = stars.part;
    } else return false;
  }
  return true;
}

function fail(need: string): never {
  throw new SyntaxError(`Cannot read pattern as ${need}`);
}
