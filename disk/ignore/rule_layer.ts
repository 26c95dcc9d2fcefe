import { PathPattern } from "@snap/manifest/pattern";

/** A line of a rule file, or a pattern of the caller. */
interface Rule {
  readonly pattern: PathPattern;
  readonly isNegated: boolean;
  readonly isForDirectories: boolean;
}

/** A rule that asks for more than a name, as it stands in one directory. */
interface PlacedRule {
  readonly rule: Rule;
  /** Its number in the list. */
  readonly number: number;
  readonly places: readonly number[];
}

/** Rules of one list, the last first, as that one decides. */
interface RuleList {
  readonly rules: readonly Rule[];
  /** Rules that ask for a name alone. */
  readonly anywhere: readonly Rule[];
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const EXCLAMATION = 0x21;
const HASH = 0x23;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;

/** The rules of one rule file, or of the caller, as they stand in one directory. Immutable. */
export class RuleLayer {
  readonly #list: RuleList;
  readonly #placed: readonly PlacedRule[];
  /** Rules that can decide about a name of this directory, the last first. */
  readonly #here: readonly Rule[];

  private constructor(list: RuleList, placed: readonly PlacedRule[]) {
    this.#list = list;
    this.#placed = placed;
    this.#here = rulesHere(list, placed);
  }

  /** The rules of patterns that are taken as they are, and of the lines of rule files behind them. */
  static of(
    patterns: readonly Uint8Array[],
    files: readonly Uint8Array[],
  ): RuleLayer {
    const rules = [...patterns, ...files.flatMap(linesOf)].map(parseRule)
      .filter((rule) => rule.pattern.flaw === undefined).reverse();
    const placed: PlacedRule[] = [];
    rules.forEach((rule, number) => {
      const { isAnywhere, start } = rule.pattern;
      if (!isAnywhere) placed.push({ rule, number, places: start });
    });
    const anywhere = rules.filter(({ pattern }) => pattern.isAnywhere);
    return new RuleLayer({ rules, anywhere }, placed);
  }

  /** Whether no rule can match in this directory nor below. */
  get isEmpty(): boolean {
    return this.#list.anywhere.length === 0 && this.#placed.length === 0;
  }

  /** Whether an entry is left out; nothing where no rule matches. */
  verdict(
    name: Uint8Array,
    start: number,
    end: number,
    isDirectory: boolean,
  ): boolean | undefined {
    for (const { pattern, isNegated, isForDirectories } of this.#here) {
      if (isForDirectories && !isDirectory) continue;
      if (pattern.endsWith(name, start, end)) return !isNegated;
    }
    return undefined;
  }

  /** The rules as they stand in a directory below. */
  enter(name: Uint8Array, start: number, end: number): RuleLayer {
    if (this.#placed.length === 0) return this;
    const placed: PlacedRule[] = [];
    for (const { rule, number, places } of this.#placed) {
      const next = rule.pattern.enter(places, name, start, end);
      if (next.length > 0) placed.push({ rule, number, places: next });
    }
    return new RuleLayer(this.#list, placed);
  }
}

function rulesHere(
  { rules, anywhere }: RuleList,
  placed: readonly PlacedRule[],
): readonly Rule[] {
  const ending = placed.filter(({ rule, places }) =>
    rule.pattern.canEnd(places)
  );
  if (ending.length === 0) return anywhere;
  const numbers = new Set(ending.map(({ number }) => number));
  return rules.filter(({ pattern }, i) => pattern.isAnywhere || numbers.has(i));
}

/** The patterns of a rule file: no comments, nothing that ends a line. */
function linesOf(file: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = hasMark(file) ? 3 : 0;
  while (start < file.length) {
    const newline = file.indexOf(NEWLINE, start);
    const next = newline < 0 ? file.length : newline;
    let end = next;
    if (end > start && file[end - 1] === RETURN) end--;
    const line = trimmed(untilNul(file.subarray(start, end)));
    if (file[start] !== HASH && line.length > 0) lines.push(line);
    start = next + 1;
  }
  return lines;
}

/** Whether a byte order mark comes first. */
function hasMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

/** For git a line ends at NUL, which is in no name. */
function untilNul(line: Uint8Array): Uint8Array {
  const end = line.indexOf(0);
  return end < 0 ? line : line.subarray(0, end);
}

/** Without the spaces at its end, unless a backslash stands before one. */
function trimmed(line: Uint8Array): Uint8Array {
  let end = 0;
  for (let at = 0; at < line.length; at++) {
    const isEscaped = line[at] === BACKSLASH;
    if (isEscaped) at++;
    if (isEscaped || line[at] !== SPACE) end = at + 1;
  }
  return line.subarray(0, end);
}

function parseRule(line: Uint8Array): Rule {
  const isNegated = line[0] === EXCLAMATION;
  let pattern = isNegated ? line.subarray(1) : line;
  const isForDirectories = pattern[pattern.length - 1] === SLASH;
  if (isForDirectories) pattern = pattern.subarray(0, -1);
  if (pattern[0] === SLASH) pattern = pattern.subarray(1);
  else if (!pattern.includes(SLASH)) pattern = anywhere(pattern);
  return { pattern: new PathPattern(pattern), isNegated, isForDirectories };
}

/** Makes a pattern match in all directories, where it has no slash but at its end. */
function anywhere(pattern: Uint8Array): Uint8Array {
  const out = new Uint8Array(pattern.length + 3);
  out.set([0x2a, 0x2a, SLASH]);
  out.set(pattern, 3);
  return out;
}
