import { strictEqual, throws } from "node:assert/strict";
import { Glob } from "./glob.ts";

const text = new TextEncoder();

Deno.test("Glob matches names and paths", () => {
  for (
    const [pattern, yes, no] of [
      ["", [""], ["a"]],
      ["abc", ["abc"], ["ab", "abcd", "xabc"]],
      ["*", ["", "abc", ".x"], ["a/b"]],
      ["a*c", ["ac", "abc", "abcbc"], ["abcd", "a/c"]],
      ["*a*b*", ["ab", "xaybz", "aab"], ["ba", "a"]],
      ["?", ["a", "é", "😀"], ["", "ab", "/"]],
      ["[a-c]x", ["ax", "cx"], ["dx", "x"]],
      ["[!a-c]x", ["dx"], ["ax", "/x"]],
      ["[^a]", ["b"], ["a"]],
      ["[]a]", ["]", "a"], ["b"]],
      ["[a-]", ["-", "a"], ["b"]],
      ["[é-ü]", ["ö"], ["a"]],
      ["\\*", ["*"], ["a"]],
      ["**", ["", "a/b/c"], []],
      ["a/**", ["a/", "a/b", "a/b/c"], ["a", "ab"]],
      ["**/x", ["x", "a/x", "a/b/x"], ["ax", "a/bx"]],
      ["a/**/x", ["a/x", "a/b/x", "a/b/c/x"], ["ax", "a/bx", "a/x/y"]],
      ["a/**/*.ts", ["a/x.ts", "a/b/x.ts"], ["a/x.js", "x.ts"]],
      ["**/b/*", ["b/c", "a/b/c"], ["a/b/c/d", "ab/c"]],
      ["**a*/b", ["xa/b"], ["b", "x/b", "x/y/ay/b"]],
      ["[[:digit:]]", ["7"], ["a", ":"]],
      ["x[!1]", ["xa", "xé"], ["x1"]],
    ] as const
  ) {
    const glob = new Glob(pattern);
    for (const one of yes) {
      strictEqual(glob.matches(text.encode(one)), true, `${pattern} ${one}`);
    }
    for (const one of no) {
      strictEqual(glob.matches(text.encode(one)), false, `${pattern} ${one}`);
    }
  }
});

Deno.test("Glob takes bytes that are not UTF-8 one by one", () => {
  strictEqual(new Glob("a?b").matches(Uint8Array.of(97, 0xff, 98)), true);
  strictEqual(new Glob("a?b").matches(Uint8Array.of(97, 0xc3, 98)), true);
  strictEqual(
    new Glob("a??b").matches(Uint8Array.of(97, 0xc3, 0xc3, 98)),
    true,
  );
  strictEqual(new Glob("ÿ").matches(Uint8Array.of(0xff)), false);
  strictEqual(new Glob("*").matches(Uint8Array.of(0x80, 0xff)), true);
});

Deno.test("Glob refuses patterns that do not end", () => {
  for (const pattern of ["[", "[a", "[]", "[!]", "[[:none:]]", "a\\"]) {
    throws(() => new Glob(pattern), SyntaxError, pattern);
  }
});

Deno.test("Glob needs no time for many stars", () => {
  const glob = new Glob("*a".repeat(60) + "b");
  strictEqual(glob.matches(text.encode("a".repeat(255))), false);
});
