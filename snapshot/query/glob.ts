/**
 * Patterns for names and paths, which are bytes and need not be UTF-8.
 *
 * @module
 */
import { PathPattern } from "@snap/manifest/pattern";

/** A byte that is not part of valid UTF-8 counts as one character above all others. */
const BYTE_BASE = 0x110000;

/**
 * A pattern, whose wildcards are those of a `.snapignore` file. `?` matches one
 * character, `*` any number, neither a `/`; `**` as a whole name matches any number
 * of directories, also none, and at the end all that is inside; `[a-z]` one
 * character of a set and `[!a-z]` one that is not in it; `\` takes the next
 * character as it is. Upper and lower case differ.
 *
 * @example Match names
 * ```ts
 * import { Glob } from "@snap/snapshot/query";
 * import { strictEqual } from "node:assert/strict";
 *
 * const text = new TextEncoder();
 * strictEqual(new Glob("*.t[sx]").matches(text.encode("mod.ts")), true);
 * strictEqual(new Glob("src/*.ts").matches(text.encode("src/a/b.ts")), false);
 * strictEqual(new Glob("src/**\/*.ts").matches(text.encode("src/a/b.ts")), true);
 * ```
 */
export class Glob {
  readonly #pattern: PathPattern;

  /**
   * Reads a pattern.
   *
   * @param pattern The pattern.
   * @throws {SyntaxError} If a set is not closed, its class is not known, or `\`
   * ends the pattern.
   */
  constructor(pattern: string) {
    this.#pattern = new PathPattern(decode(new TextEncoder().encode(pattern)));
    const { flaw } = this.#pattern;
    if (flaw !== undefined) {
      throw new SyntaxError(`Cannot read pattern as ${flaw}`);
    }
  }

  /**
   * Says whether all of a name or path matches.
   *
   * @param bytes The name or path.
   * @returns Whether it does.
   */
  matches(bytes: Uint8Array): boolean {
    return this.#pattern.matches(decode(bytes));
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
