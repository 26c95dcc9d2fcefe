import {
  ANY,
  type Codes,
  type CodeSet,
  FIRST_SET,
  NamePattern,
  STAR,
} from "./name_pattern.ts";
import { parseSet } from "./parse_set.ts";

const ASTERISK = 0x2a;
const SLASH = 0x2f;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;

/** Any number of directories, also none: `**` between slashes. */
const DIRECTORIES = undefined;
/** A part of a path. */
type Part = NamePattern | typeof DIRECTORIES;

/**
 * A pattern of paths with the wildcards of git. `?` matches one code, `*` any
 * number of them, neither a `/`; `**` as a whole name matches any number of
 * directories, also none, and at the end all that is inside; `[a-z]` matches one
 * code of a set and `[!a-z]` or `[^a-z]` one that is not in it; `[[:digit:]]` is a
 * class of POSIX; `\` takes the next code as it is. Upper and lower case differ.
 *
 * A code is a byte, or a character: what the pattern and the paths are given in.
 *
 * A walk asks name by name: where the pattern stands in a directory are its
 * {@linkcode start places}, of which {@linkcode enter} makes those of a directory
 * below. Time grows with the sizes of pattern and name multiplied, never faster.
 *
 * @example Match a path, and a walk
 * ```ts
 * import { PathPattern } from "@snap/manifest/pattern";
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 *
 * const encoder = new TextEncoder();
 * const pattern = new PathPattern(encoder.encode("src/*.t[sx]"));
 * strictEqual(pattern.matches(encoder.encode("src/mod.ts")), true);
 *
 * const [src, mod] = [encoder.encode("src"), encoder.encode("mod.ts")];
 * const places = pattern.enter(pattern.start, src, 0, src.length);
 * strictEqual(pattern.canEnd(places) && pattern.endsWith(mod, 0, mod.length), true);
 * deepStrictEqual(pattern.enter(pattern.start, mod, 0, mod.length), []);
 * ```
 */
export class PathPattern {
  /** Why this is no pattern, if it is none: then it matches nothing. */
  readonly flaw: string | undefined;
  /** Where the pattern stands in the root. */
  readonly start: readonly number[];
  /** Whether it asks for a name alone, in whatever directory. */
  readonly isAnywhere: boolean;
  readonly #parts: readonly Part[];

  /** Reads a pattern. */
  constructor(codes: ArrayLike<number>) {
    const parts: Part[] = [];
    this.flaw = parseParts(codes, parts);
    this.#parts = parts;
    this.isAnywhere = parts.length === 2 && parts[0] === DIRECTORIES;
    this.start = this.flaw === undefined ? this.#reach([], 0) : [];
  }

  /**
   * Says whether a name of the directory can be the last that is asked for.
   *
   * @param places Where the pattern stands in the directory.
   */
  canEnd(places: readonly number[]): boolean {
    return places[places.length - 1] === this.#parts.length - 1;
  }

  /**
   * Says whether a name matches the last name of the pattern, which has no flaw.
   *
   * @param name Holds the name from `start` to `end`.
   */
  endsWith(name: ArrayLike<number>, start: number, end: number): boolean {
    return this.#parts[this.#parts.length - 1]!.matches(name, start, end);
  }

  /**
   * Says where the pattern stands in a directory below.
   *
   * @param places Where it stands in the directory.
   * @param name Holds the name of the directory below from `start` to `end`.
   * @returns The places in ascending order; none if nothing below can match.
   */
  enter(
    places: readonly number[],
    name: ArrayLike<number>,
    start: number,
    end: number,
  ): readonly number[] {
    const next: number[] = [];
    for (const place of places) {
      const part = this.#parts[place];
      if (part === DIRECTORIES) this.#reach(next, place);
      else if (place + 1 < this.#parts.length) {
        if (part.matches(name, start, end)) this.#reach(next, place + 1);
      }
    }
    return next;
  }

  /**
   * Says whether a path matches.
   *
   * @returns Whether all of it does.
   */
  matches(path: ArrayLike<number>): boolean {
    let places = this.start;
    let start = 0;
    for (let at = 0; at < path.length; at++) {
      if (path[at] !== SLASH) continue;
      places = this.enter(places, path, start, at);
      start = at + 1;
    }
    return this.canEnd(places) && this.endsWith(path, start, path.length);
  }

  /** Adds a place, and the one behind it where that needs no name. */
  #reach(places: number[], place: number): number[] {
    addPlace(places, place);
    if (this.#parts[place] === DIRECTORIES) addPlace(places, place + 1);
    return places;
  }
}

/** Places come in ascending order, some of them twice. */
function addPlace(places: number[], place: number): void {
  if (places.length === 0 || places[places.length - 1] < place) {
    places.push(place);
  }
}

/** A name of the pattern as far as it was read. */
interface Draft {
  tokens: number[];
  sets: CodeSet[];
  /** Stars, as long as there is nothing else. */
  starCount: number;
}

function newDraft(): Draft {
  return { tokens: [], sets: [], starCount: 0 };
}

/** Reads a pattern into its parts; returns its flaw if it has one. */
function parseParts(codes: Codes, parts: Part[]): string | undefined {
  let draft = newDraft();
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at];
    if (code === SLASH) {
      addPart(parts, draft, false);
      draft = newDraft();
    } else if (code === ASTERISK) addStar(draft);
    else if (code === QUESTION) draft.tokens.push(ANY);
    else if (code === OPEN) {
      const parsed = parseSet(codes, at);
      if ("flaw" in parsed) return parsed.flaw;
      draft.tokens.push(FIRST_SET - draft.sets.length);
      draft.sets.push(parsed.set);
      at = parsed.end;
    } else if (code === BACKSLASH) {
      if (++at === codes.length) return "a character must follow a backslash";
      if (codes[at] === SLASH) {
        addPart(parts, draft, true);
        draft = newDraft();
      } else draft.tokens.push(codes[at]);
    } else draft.tokens.push(code);
  }
  if (!isDirectories(draft)) addPart(parts, draft, false);
  else addInside(parts);
  return undefined;
}

function addStar(draft: Draft): void {
  draft.starCount++;
  if (draft.tokens.at(-1) !== STAR) draft.tokens.push(STAR);
}

function isDirectories({ tokens, starCount }: Draft): boolean {
  return starCount > 1 && tokens.length === 1;
}

/** Adds the name before a `/`; before an escaped one `**` stands for at least one directory. */
function addPart(parts: Part[], draft: Draft, isEscaped: boolean): void {
  if (!isDirectories(draft)) {
    parts.push(new NamePattern(draft.tokens, draft.sets));
    return;
  }
  if (isEscaped) parts.push(ANY_NAME);
  addDirectories(parts);
}

/** `**` at the end: all that is inside. */
function addInside(parts: Part[]): void {
  addDirectories(parts);
  parts.push(ANY_NAME);
}

function addDirectories(parts: Part[]): void {
  if (parts.length === 0 || parts.at(-1) !== DIRECTORIES) {
    parts.push(DIRECTORIES);
  }
}

const ANY_NAME = new NamePattern([STAR], []);
