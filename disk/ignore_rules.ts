import { builtin } from "./_builtin.ts";

/** What {@linkcode IgnoreRules} are made of. */
export interface IgnoreOptions {
  /** Patterns in gitignore syntax, relative to the root of the source. They come before rule files. */
  readonly exclude?: readonly string[];
  /** Name of the rule files, `.snapignore` if absent; `""` for none. */
  readonly fileName?: string;
  /** Drops the content of directories that hold a `CACHEDIR.TAG` with its signature. */
  readonly excludeCaches?: boolean;
}

/**
 * Which entries of a source are left out: patterns given by the caller, and rule files.
 *
 * Syntax and meaning are those of gitignore: a rule file holds for its directory and below, the
 * deepest file that says something decides, its last matching line first. Nothing inside an
 * ignored directory can be taken in again. Names are matched as bytes: `?` is one byte.
 *
 * @example
 * ```ts
 * import { IgnoreRules } from "@snap/disk";
 * import assert from "node:assert/strict";
 *
 * const rules = new IgnoreRules({ exclude: ["*.log", "!keep.log"] });
 * const name = new TextEncoder().encode("a.log");
 * assert.ok(rules.scope().ignores(name, 0, name.length, false));
 * ```
 */
export class IgnoreRules {
  /** Name of the rule files as bytes, or nothing when they are not looked for. */
  readonly fileName: Uint8Array | undefined;
  /** Whether the content of marked cache directories is dropped. */
  readonly excludeCaches: boolean;
  readonly #scope: RuleScope;

  /**
   * Takes the patterns of the caller.
   *
   * @param options The rules; without any, only `.snapignore` files count.
   */
  constructor(options: IgnoreOptions = {}) {
    const fileName = options.fileName ?? ".snapignore";
    this.fileName = fileName === ""
      ? undefined
      : new TextEncoder().encode(fileName);
    this.excludeCaches = options.excludeCaches ?? false;
    const exclude = options.exclude ?? [];
    const text = new TextEncoder().encode(exclude.join("\n"));
    this.#scope = exclude.length === 0
      ? RuleScope.EMPTY
      : RuleScope.EMPTY.with(text, true);
  }

  /**
   * The rules as they stand at the root of a source.
   *
   * @returns The scope of the root, before its own rule file.
   */
  scope(): RuleScope {
    return this.#scope;
  }
}

/** The part of the npm package `ignore` that is used here. */
interface Matcher {
  add(patterns: string | readonly string[]): Matcher;
  test(path: string): Verdict;
}
interface Verdict {
  readonly ignored: boolean;
  readonly unignored: boolean;
}
type MatcherFactory = (
  options: { ignorecase: boolean; allowRelativePaths: boolean },
) => Matcher;

/** One rule file or list of patterns, and the path of its directory relative to the one looked at. */
interface Layer {
  readonly patterns: PatternList;
  readonly prefix: string;
  readonly first: boolean;
}

/** The rules that hold in one directory. Immutable. */
export class RuleScope {
  /** The scope without a rule. */
  static readonly EMPTY: RuleScope = new RuleScope([]);
  /** Highest precedence first. */
  readonly #layers: readonly Layer[];

  private constructor(layers: readonly Layer[]) {
    this.#layers = layers;
  }

  /** Whether no rule holds, so that nothing needs to be asked. */
  get empty(): boolean {
    return this.#layers.length === 0;
  }

  /**
   * Adds the rules of a file in this directory. A line that is no pattern matches nothing.
   *
   * @param rules Lines in gitignore syntax.
   * @param first Whether these come before all rule files, also deeper ones.
   * @returns The scope with both.
   * @throws {Error} If the library that matches patterns cannot be loaded.
   */
  with(rules: Uint8Array, first?: true): RuleScope {
    const patterns = new PatternList(bytesToText(rules, 0, rules.length, true));
    const layer = { patterns, prefix: "", first: first === true };
    const firsts = this.#layers.filter((other) => other.first);
    const others = this.#layers.filter((other) => !other.first);
    return new RuleScope(
      layer.first ? [layer, ...this.#layers] : [...firsts, layer, ...others],
    );
  }

  /**
   * The scope of a sub-directory that is not ignored.
   *
   * A list that ignores the directory itself, and was overruled, says nothing about what is inside.
   *
   * @param name Bytes with the name of the directory from `start` to `end`.
   * @returns The scope, before the sub-directory's own rule file.
   */
  enter(name: Uint8Array, start: number, end: number): RuleScope {
    if (this.empty) return this;
    const text = bytesToText(name, start, end);
    const layers: Layer[] = [];
    for (const layer of this.#layers) {
      if (layer.patterns.test(`${layer.prefix}${text}/`).ignored) continue;
      layers.push({ ...layer, prefix: `${layer.prefix}${text}/` });
    }
    return new RuleScope(layers);
  }

  /**
   * Whether an entry of this directory is left out.
   *
   * @param name Bytes with the name from `start` to `end`.
   * @param directory Whether the entry is a directory.
   */
  ignores(
    name: Uint8Array,
    start: number,
    end: number,
    directory: boolean,
  ): boolean {
    if (this.#layers.length === 0) return false;
    const text = bytesToText(name, start, end) + (directory ? "/" : "");
    for (const { patterns, prefix } of this.#layers) {
      const verdict = patterns.test(prefix + text);
      if (verdict.ignored) return true;
      if (verdict.unignored) return false;
    }
    return false;
  }
}

/**
 * Each byte as one UTF-16 unit. Bytes from 0x80 go to a private area, since the library trims and
 * folds what Unicode calls white space or letters.
 */
function bytesToText(
  bytes: Uint8Array,
  start: number,
  end: number,
  skipMark = false,
): string {
  if (skipMark && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    start += 3;
  }
  let text = "";
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    text += String.fromCharCode(byte < 0x80 ? byte : 0xe000 + byte);
  }
  return text;
}

let factory: MatcherFactory | undefined;

const MATCHER_OPTIONS = { ignorecase: false, allowRelativePaths: true };
/** The library remembers every path that it was asked for; a new matcher forgets them. */
const TESTS_MAX = 20_000;

/** The patterns of one list. */
class PatternList {
  readonly #lines: string[] = [];
  #matcher: Matcher;
  #testCount = 0;

  constructor(text: string) {
    const make = loadFactory();
    for (const line of text.split(/\r?\n/)) {
      // The library throws when it first uses a line such as `[/`, in the middle of a walk.
      if (isPattern(make(MATCHER_OPTIONS), line)) this.#lines.push(line);
    }
    this.#matcher = make(MATCHER_OPTIONS).add(this.#lines);
  }

  test(path: string): Verdict {
    if (++this.#testCount > TESTS_MAX) {
      this.#matcher = loadFactory()(MATCHER_OPTIONS).add(this.#lines);
      this.#testCount = 0;
    }
    return this.#matcher.test(path);
  }
}

function isPattern(matcher: Matcher, line: string): boolean {
  try {
    matcher.add(line.replace(/^!/, "")).test("a");
    return true;
  } catch {
    return false;
  }
}

/** Loads the library when the first rule exists: at once, as a walk does not wait. */
function loadFactory(): MatcherFactory {
  if (factory !== undefined) return factory;
  const { createRequire } = builtin<typeof import("node:module")>(
    "node:module",
  );
  factory = createRequire(import.meta.url)("ignore") as MatcherFactory;
  return factory;
}

/**
 * Loads the library that matches patterns ahead of time. Only needed where this package itself was
 * loaded from a remote address; elsewhere the first rule loads it.
 *
 * @returns Resolves when rules can be used.
 * @throws {Error} If the library cannot be loaded.
 */
export async function loadIgnoreLibrary(): Promise<void> {
  if (factory !== undefined) return;
  const { default: library } = await import("ignore");
  factory = library as unknown as MatcherFactory;
}
