import type { Codes, CodeSet } from "./name_pattern.ts";

/** A set, and where it ends; or why it is none. */
export type ParsedSet =
  | { readonly set: CodeSet; readonly end: number }
  | { readonly flaw: string };

const UNCLOSED: ParsedSet = { flaw: "a set must end with ]" };

const EXCLAMATION = 0x21;
const HYPHEN = 0x2d;
const COLON = 0x3a;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
const CARET = 0x5e;

/** The classes of POSIX, as pairs of bounds. White space is what git takes for it: no `\v`, no `\f`. */
const CLASSES: ReadonlyMap<string, readonly number[]> = new Map([
  ["alnum", [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a]],
  ["alpha", [0x41, 0x5a, 0x61, 0x7a]],
  ["blank", [0x09, 0x09, 0x20, 0x20]],
  ["cntrl", [0x01, 0x1f, 0x7f, 0x7f]],
  ["digit", [0x30, 0x39]],
  ["graph", [0x21, 0x7e]],
  ["lower", [0x61, 0x7a]],
  ["print", [0x20, 0x7e]],
  ["punct", [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e]],
  ["space", [0x09, 0x0a, 0x0d, 0x0d, 0x20, 0x20]],
  ["upper", [0x41, 0x5a]],
  ["xdigit", [0x30, 0x39, 0x41, 0x46, 0x61, 0x66]],
]);

/** Reads the set whose `[` is at `start`. */
export function parseSet(codes: Codes, start: number): ParsedSet {
  let at = start + 1;
  const isNegated = codes[at] === EXCLAMATION || codes[at] === CARET;
  if (isNegated) at++;
  const bounds: number[] = [];
  /** The member before, from which a range may go on. */
  let before: number | undefined;
  const first = at;
  for (; at < codes.length; at++) {
    let code = codes[at];
    // As the first member it stands for itself.
    if (code === CLOSE && at > first) {
      return { set: { isNegated, bounds }, end: at };
    }
    if (code === OPEN && codes[at + 1] === COLON) {
      const end = closeAfter(codes, at + 2);
      if (end === codes.length) return UNCLOSED;
      if (end > at + 2 && codes[end - 1] === COLON) {
        const name = String.fromCodePoint(...nameOf(codes, at + 2, end - 1));
        const members = CLASSES.get(name);
        if (members === undefined) return { flaw: "a class must be known" };
        bounds.push(...members);
        before = undefined;
        at = end;
        continue;
      }
    }
    const isRange = code === HYPHEN && before !== undefined &&
      at + 1 < codes.length && codes[at + 1] !== CLOSE;
    if (isRange) code = codes[++at];
    if (code === BACKSLASH) {
      if (++at === codes.length) return UNCLOSED;
      code = codes[at];
    }
    bounds.push(isRange ? before! : code, code);
    before = isRange ? undefined : code;
  }
  return UNCLOSED;
}

/** Place of the next `]`, or the end. */
function closeAfter(codes: Codes, at: number): number {
  while (at < codes.length && codes[at] !== CLOSE) at++;
  return at;
}

/** The name of a class; of what is too long for one a part, which is none either. */
function nameOf(codes: Codes, start: number, end: number): number[] {
  return Array.from(
    { length: Math.min(end - start, 7) },
    (_, i) => codes[start + i],
  );
}
