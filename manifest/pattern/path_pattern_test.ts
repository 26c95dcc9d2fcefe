import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { type Prng, seededTest } from "../../tests/_prng.ts";
import { PathPattern } from "./path_pattern.ts";

const encoder = new TextEncoder();

function matches(pattern: string, path: string): boolean {
  return new PathPattern(encoder.encode(pattern))
    .matches(encoder.encode(path));
}

/** The same in a few lines that try everything: `a`, `b`, `/`, `?`, `*`, and `**` as a whole name. */
function tries(pattern: string[], path: string[]): boolean {
  if (pattern.length === 0) return path.length === 0;
  const [first, ...rest] = pattern;
  if (first === "**" && rest.length === 0) return path.length > 0;
  if (path.length === 0) return false;
  if (first === "**") {
    return tries(rest, path) || tries(pattern, path.slice(1));
  }
  return triesName(first, path[0]) && tries(rest, path.slice(1));
}

function triesName(pattern: string, name: string): boolean {
  if (pattern === "") return name === "";
  if (pattern[0] === "*") {
    return triesName(pattern.slice(1), name) ||
      name !== "" && triesName(pattern, name.slice(1));
  }
  return name !== "" && (pattern[0] === "?" || pattern[0] === name[0]) &&
    triesName(pattern.slice(1), name.slice(1));
}

function someText(prng: Prng, letters: string[], sizeMax: number): string {
  const size = prng.below(sizeMax);
  return Array.from({ length: size }, () => prng.pick(letters)).join("");
}

seededTest("PathPattern matches what trying everything matches", (prng) => {
  const letters = ["a", "b", "/", "/", "*", "*", "?", "**", "/**/"];
  for (let i = 0; i < 200; i++) {
    const pattern = someText(prng, letters, 8).replace(/\*{3,}/g, "**");
    const path = someText(prng, ["a", "b", "/"], 9);
    const expected = tries(pattern.split("/"), path.split("/"));
    strictEqual(matches(pattern, path), expected, `${pattern} ${path}`);
  }
});

Deno.test("PathPattern walks to the same answer, and ends where nothing below can match", () => {
  const pattern = new PathPattern(encoder.encode("a/**/b/c"));
  const enter = (places: readonly number[], name: string) =>
    pattern.enter(places, encoder.encode(name), 0, name.length);
  deepStrictEqual(enter(pattern.start, "b"), []);
  let places = enter(pattern.start, "a");
  strictEqual(pattern.canEnd(places), false);
  places = enter(enter(places, "b"), "b");
  strictEqual(pattern.canEnd(places), true);
  strictEqual(pattern.endsWith(encoder.encode("xcx"), 1, 2), true);
  strictEqual(pattern.endsWith(encoder.encode("xcx"), 0, 2), false);
  strictEqual(pattern.canEnd(enter(places, "x")), false);
});

Deno.test("PathPattern with a flaw says which, and matches nothing", () => {
  for (
    const [pattern, flaw] of [
      ["a[b", /^a set must end with \]$/],
      ["[[:", /^a set must end with \]$/],
      ["[\\", /^a set must end with \]$/],
      ["[[:none:]]", /^a class must be known$/],
      ["[[::]]", /^a class must be known$/],
      [`[[:${"x".repeat(1 << 20)}:]]`, /^a class must be known$/],
      ["a\\", /^a character must follow a backslash$/],
    ] as const
  ) {
    match(new PathPattern(encoder.encode(pattern)).flaw!, flaw);
    for (const path of ["", "a", "ab", pattern.slice(0, 9)]) {
      strictEqual(matches(pattern, path), false, path);
    }
  }
});

Deno.test("PathPattern has characters where it is given characters", () => {
  const codes = (text: string) => [...text].map((one) => one.codePointAt(0)!);
  const pattern = new PathPattern(codes("?/[à-ü]"));
  strictEqual(pattern.matches(codes("😀/é")), true);
  strictEqual(pattern.matches(encoder.encode("😀/é")), false);
});

Deno.test("PathPattern keeps few places, whatever the pattern", () => {
  const pattern = new PathPattern(encoder.encode("**/".repeat(1e5) + "a"));
  deepStrictEqual(pattern.start, [0, 1]);
  const name = encoder.encode("a".repeat(255));
  const many = new PathPattern(encoder.encode("**/*/".repeat(1000) + "b"));
  let places = many.start;
  for (let depth = 0; depth < 20; depth++) {
    deepStrictEqual(places, [...new Set(places)].sort((a, b) => a - b));
    places = many.enter(places, name, 0, name.length);
  }
  strictEqual(many.matches(encoder.encode("a/".repeat(1024))), false);
  const stars = encoder.encode("*?".repeat(200) + "b");
  strictEqual(new PathPattern(stars).matches(name), false);
});
