// Patterns by chance, and a tree in which git and this project look for what they match.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Prng } from "./_prng.ts";
import { TemporaryFolder } from "./_snapshots.ts";

/** Texts here have a byte in each unit. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0));
}

/** The reverse. */
export function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** Whether there is a git to compare with. */
export function hasGit(): boolean {
  try {
    execFileSync("git", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Directories that may have rules of their own. */
export const RULED: readonly string[] = ["", "a/", "a/b/", "d/", "d/[a]/"];
const DIRECTORIES = [
  ...["a/", "a/b/", "a/b/c/", "a/b/c/d/", "b/", "b/a/", "b/a/b/", "d/"],
  ...["d/[a]/", "d/e/", "d/e/f/", "x\xff/", "**/", "d/\\/", "foo/", "foobar/"],
];
const NAMES = [
  ...["a", "b", "ab", "abc", "aXc", "x1", "xa", "x]", "x-", "x!", "x^", "x["],
  ...["foo", "foobar", "foo*", "file", "*", "?", "\\", "#a", "!a", "a ", " a"],
  ...["a\\", "[a]", "A", "a.o", "b.o", "a.b.o", "\xff", "a\xe9b", "\xc3\xa9"],
  ...["a\tb", "a\r", "a\nb", "\xef\xbb\xbfa", "x1y", "1", "9", ":", "-", "]"],
];
/** Names that most directories have. */
const COMMON_COUNT = 12;

const CLASSES =
  "alnum alpha blank cntrl digit graph lower print punct space upper xdigit none Digit"
    .split(" ");
const PIECES = [
  ...["a", "b", "x", "1", "*", "**", "***", "?", "/", "/**/", "**/", "/**"],
  ...["\\", "\\\\", "\\*", "\\ ", "\\/", " ", "[", "]", "!", "^", "-", "[!a]"],
  ...["[]]", "[]a-]", "[^]]", "[a-c]", "[z-a]", "[\\]]", "[[:digit:]]", "#"],
  ...["[!1]", "[a/b]", "[[:", ":]", "[[:alpha:]1]", "[a-[:digit:]]", "[--1]"],
  ...["\xff", "\xc3", "[\x80-\xff]", "\t", "\r", ".o", "foo", "[\\a-c]", "[["],
];

function allPaths(): string[] {
  const paths: string[] = [];
  for (const directory of ["", ...DIRECTORIES]) {
    const isLarge = directory === "" || directory === "a/b/";
    const names = isLarge ? NAMES : NAMES.slice(0, COMMON_COUNT);
    for (const name of names) {
      const path = directory + name;
      if (!DIRECTORIES.includes(`${path}/`)) paths.push(path);
    }
  }
  return paths;
}

/** One list of paths, NUL behind each. */
function zero(paths: readonly string[]): Uint8Array {
  return bytesOf(paths.map((path) => `${path}\0`).join(""));
}

/** A tree, and a git whose own files lie beside it. */
export class GitScene implements Disposable {
  readonly #dir = new TemporaryFolder();
  readonly tree: string = `${this.#dir.path}/tree`;
  readonly patterns: string = `${this.#dir.path}/patterns`;
  readonly paths: readonly string[] = allPaths();

  constructor() {
    execFileSync("git", ["init", "-q", this.tree]);
    execFileSync("mv", [`${this.tree}/.git`, `${this.#dir.path}/git`]);
    const make = (program: string, paths: readonly string[]): void =>
      void execFileSync("xargs", ["-0", program, "--"], {
        cwd: this.tree,
        input: zero(paths),
      });
    make("mkdir", DIRECTORIES);
    make("touch", this.paths);
  }

  /** The files that git keeps. */
  git(...options: string[]): string[] {
    const out = execFileSync("git", [
      ...["--git-dir", `${this.#dir.path}/git`, "--work-tree", this.tree],
      ...["ls-files", "-z", "--others", ...options],
    ], { cwd: this.tree, maxBuffer: 1 << 26 });
    return textOf(out).split("\0").filter(Boolean).sort();
  }

  /** Gives directories rules of their own, or none. */
  writeRules(rules: ReadonlyMap<string, string>): void {
    for (const directory of RULED) {
      const text = rules.get(directory) ?? "";
      writeFileSync(`${this.tree}/${directory}.gitignore`, bytesOf(text));
    }
  }

  [Symbol.dispose](): void {
    this.#dir[Symbol.dispose]();
  }
}

/** A path or its end, of which some has become wildcards. */
function blurred(prng: Prng, paths: readonly string[]): string {
  const names = prng.pick(paths).split("/").slice(prng.below(2) * -2);
  const out = names.map((name) => {
    if (prng.below(6) === 0) return prng.pick(["*", "**", "?*", "***"]);
    return Array.from(name, (unit) => blurredUnit(prng, unit)).join("");
  });
  // A file's name is left out now and then: the directory is meant.
  if (prng.below(4) === 0 && out.length > 1) out.pop();
  return out.join("/");
}

function blurredUnit(prng: Prng, unit: string): string {
  switch (prng.below(16)) {
    case 0:
      return "?";
    case 1:
      return "*";
    case 2:
      return `[${prng.pick(["", "", "!", "^"])}${unit}${prng.pick(NAMES)}]`;
    case 3:
      return `[${prng.pick(["", "!"])}[:${prng.pick(CLASSES)}:]]`;
    case 4:
      return `[${prng.pick(["a", "\\a", "!", "]"])}-${unit}]`;
    case 5:
      return "";
    default:
      return "*?[\\".includes(unit) && prng.below(3) > 0 ? `\\${unit}` : unit;
  }
}

/** A pattern that often matches something, and now and then is none. */
export function somePattern(prng: Prng, paths: readonly string[]): string {
  const body = prng.below(3) > 0
    ? blurred(prng, paths)
    : Array.from({ length: 1 + prng.below(5) }, () => prng.pick(PIECES))
      .join("");
  const pattern = prng.pick(["", "", "", "!", "!", "/", "!/", "**/", "#"]) +
    body + prng.pick(["", "", "", "/", "/**", "/*", " ", "\\ ", "  ", "\r"]);
  return isMisread(pattern) ? "" : pattern.replaceAll("\n", "");
}

/**
 * Whether git leaves out more than its manual says: many versions take `**` for a whole name
 * where only plain characters stand before it, so that `foo**\/bar` matches `foobar`.
 */
function isMisread(pattern: string): boolean {
  return /^!?[^*?[\\]*[^*?[\\/!]\*\*/.test(pattern);
}

/** A rule file, with all that makes its lines hard to read. */
export function someRules(prng: Prng, paths: readonly string[]): string {
  const count = 1 + prng.below(prng.pick([2, 6]));
  const lines = Array.from({ length: count }, () => somePattern(prng, paths));
  return (prng.below(12) === 0 ? "\xef\xbb\xbf" : "") +
    lines.join(prng.pick(["\n", "\n", "\r\n"])) + prng.pick(["", "\n"]);
}

/** Text for a message. */
export function show(text: string): string {
  return JSON.stringify(text);
}

/** Compares, and says which patterns it was. */
export function same(found: string[], kept: string[], rules: string): void {
  assert.deepEqual(
    found.filter((path) => !kept.includes(path)),
    [],
    `${rules} kept what git leaves out`,
  );
  assert.deepEqual(
    kept.filter((path) => !found.includes(path)),
    [],
    `${rules} left out what git keeps`,
  );
}
