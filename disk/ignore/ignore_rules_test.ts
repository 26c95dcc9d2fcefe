import assert from "node:assert/strict";
import { IgnoreRules, type RuleScope } from "./ignore_rules.ts";
import { bytes } from "../testdata/temp_dir.ts";

function ignores(scope: RuleScope, name: string | Uint8Array): boolean {
  const isDirectory = typeof name === "string" && name.endsWith("/");
  const raw = typeof name === "string" ? bytes(name.replace(/\/$/, "")) : name;
  return scope.ignores(raw, 0, raw.length, isDirectory);
}

function enter(scope: RuleScope, name: string): RuleScope {
  const raw = bytes(name);
  return scope.enter(raw, 0, raw.length);
}

function scopeOf(...lines: string[]): RuleScope {
  return new IgnoreRules().scope().with(bytes(lines.join("\n")));
}

Deno.test("RuleScope without rules ignores nothing", () => {
  const scope = new IgnoreRules().scope();
  assert.ok(scope.empty);
  assert.equal(ignores(scope, "a"), false);
  assert.equal(enter(scope, "a"), scope);
});

Deno.test("RuleScope matches directories alone where the line ends in a slash", () => {
  const scope = scopeOf("build/");
  assert.equal(ignores(scope, "build/"), true);
  assert.equal(ignores(scope, "build"), false);
});

Deno.test("RuleScope takes the last line that matches", () => {
  const scope = scopeOf("*.log", "!keep.log", "# a comment", "", "\\#file");
  assert.equal(ignores(scope, "a.log"), true);
  assert.equal(ignores(scope, "keep.log"), false);
  assert.equal(ignores(scope, "#file"), true);
});

Deno.test("RuleScope ties lines with a slash to their directory", () => {
  const scope = scopeOf("/top", "a/b", "**/deep/x");
  assert.equal(ignores(scope, "top"), true);
  assert.equal(ignores(scope, "b"), false);
  const a = enter(scope, "a");
  assert.equal(ignores(a, "top"), false);
  assert.equal(ignores(a, "b"), true);
  assert.equal(ignores(enter(a, "deep"), "x"), true);
});

Deno.test("RuleScope lets the deeper file decide, and the caller before all", () => {
  const rules = new IgnoreRules({ exclude: ["*.secret"] });
  const root = rules.scope().with(bytes("*.log"));
  const inner = enter(root, "inner").with(bytes("!*.log\n!*.secret"));
  assert.equal(ignores(inner, "a.log"), false);
  assert.equal(ignores(inner, "a.secret"), true);
  assert.equal(ignores(root, "a.log"), true);
});

Deno.test("RuleScope of a directory that was taken in again takes in what is inside", () => {
  const rules = new IgnoreRules({ exclude: ["!vendor/"] });
  const root = rules.scope().with(bytes("vendor/"));
  assert.equal(ignores(root, "vendor/"), false);
  assert.equal(ignores(enter(root, "vendor"), "file"), false);
});

Deno.test("RuleScope minds case, and matches bytes", () => {
  const scope = scopeOf("Name", "voilà", "a?b", "é");
  assert.equal(ignores(scope, "name"), false);
  assert.equal(ignores(scope, "Name"), true);
  assert.equal(ignores(scope, "voilà"), true);
  assert.equal(ignores(scope, "É"), false);
  assert.equal(ignores(scope, Uint8Array.of(0x61, 0xff, 0x62)), true);
});

Deno.test("RuleScope takes lines that are no patterns as matching nothing", () => {
  const scope = scopeOf("[/", "[[:none:]]", "x\\", "!", "/", "//", "good");
  assert.equal(ignores(scope, "good"), true);
  assert.equal(ignores(scope, "["), false);
});

Deno.test("RuleScope skips a byte order mark and carriage returns", () => {
  const scope = new IgnoreRules().scope().with(
    Uint8Array.of(0xef, 0xbb, 0xbf, ...bytes("first\r\nsecond\r\n")),
  );
  assert.equal(ignores(scope, "first"), true);
  assert.equal(ignores(scope, "second"), true);
});

Deno.test("RuleScope ends a line at NUL, as git does", () => {
  const scope = scopeOf("a\0b", "\0c", "!x\0");
  assert.equal(ignores(scope, "a"), true);
  assert.equal(ignores(scope, "c"), false);
});

Deno.test("IgnoreRules looks for no rule files if told so", () => {
  assert.equal(new IgnoreRules({ fileName: "" }).fileName, undefined);
  assert.deepEqual(
    new IgnoreRules({ fileName: ".gitignore" }).fileName,
    bytes(".gitignore"),
  );
});

/** What a pattern matches, and what it must keep. */
const READ_AS_GIT: readonly [string, string[], string[]][] = [
  ["x[!1]", ["xa"], ["x1", "x"]],
  ["foo\\*", ["foo*"], ["foobar", "foo"]],
  ["\\*", ["*"], ["a", "anything"]],
  ["[[:digit:]]", ["7"], ["a", ":"]],
  ["[[:alpha:][:digit:]_]", ["7", "x", "_"], ["-", ":"]],
  ["[[:space:]]", [" ", "\t"], ["\v", "\f", "s"]],
  ["x[]]", ["x]"], ["x", "x[]"]],
  ["x[!]-]", ["xa"], ["x]", "x-"]],
  ["[a-]", ["a", "-"], ["b"]],
  ["[--0]", ["-", ".", "0"], ["1"]],
  ["[\\]]", ["]"], ["\\"]],
  ["[[:a]", ["[", ":", "a"], ["]"]],
  ["[[:]", ["[", ":"], ["]"]],
  ["[z-a]", ["z"], ["a", "b"]],
  ["\\!a", ["!a"], ["a", "\\!a"]],
  ["\\ ", [" "], ["\\"]],
  ["a\\ \\ ", ["a  "], ["a", "a "]],
  ["a ", ["a"], ["a "]],
  ["a\\\\ ", ["a\\"], ["a\\ "]],
  ["a\t", ["a\t"], ["a"]],
  [" a", [" a"], ["a"]],
  ["**", ["a", "*"], []],
  ["a***b", ["ab", "axxb"], ["a"]],
  ["foo**/bar", [], ["foobar", "foo", "bar"]],
  ["**/a", ["a"], ["xa"]],
  ["a[/]b", [], ["ab"]],
];

Deno.test("RuleScope reads wildcards, sets and escapes as git does", () => {
  for (const [pattern, matched, kept] of READ_AS_GIT) {
    const scope = scopeOf(pattern);
    const say = (name: string): string => `${pattern} and ${name}`;
    for (const name of matched) {
      assert.equal(ignores(scope, name), true, say(name));
    }
    for (const name of kept) {
      assert.equal(ignores(scope, name), false, say(name));
    }
  }
});

Deno.test("RuleScope keeps the files of a directory whose directories are named", () => {
  const d = enter(scopeOf("d/**/"), "d");
  assert.equal(ignores(d, "file"), false);
  assert.equal(ignores(d, "sub/"), true);
});

Deno.test("RuleScope follows stars over directories", () => {
  const scope = scopeOf("a/**/z", "b/**\\/z", "c/**", "!c/keep");
  const [a, b, c] = ["a", "b", "c"].map((name) => enter(scope, name));
  assert.equal(ignores(a, "z"), true);
  assert.equal(ignores(enter(enter(a, "x"), "y"), "z"), true);
  assert.equal(ignores(b, "z"), false);
  assert.equal(ignores(enter(b, "x"), "z"), true);
  assert.equal(ignores(scope, "c/"), false);
  assert.equal(ignores(c, "x"), true);
  assert.equal(ignores(c, "keep"), false);
  assert.equal(ignores(enter(c, "keep"), "x"), true);
  assert.equal(ignores(enter(scope, "x"), "z"), false);
});

Deno.test("RuleScope has no rules where none can match", () => {
  const scope = scopeOf("/out", "/a/b/c");
  assert.ok(enter(scope, "x").empty);
  assert.equal(enter(scope, "a").empty, false);
  assert.ok(enter(enter(scope, "a"), "c").empty);
});

Deno.test("IgnoreRules take a pattern of the caller as it is, and lines as they are in files", () => {
  const exclude = ["#a", "b ", "c\nd"];
  const lines = bytes("#e\nf \n!g\n");
  const scope = new IgnoreRules({
    exclude: [...exclude, "g", Uint8Array.of(0xff, 0x2a)],
    excludeFiles: [lines],
  }).scope();
  for (const name of [...exclude, "f", Uint8Array.of(0xff, 0xfe)]) {
    assert.equal(ignores(scope, name), true, String(name));
  }
  for (const name of ["a", "b", "c", "d", "#e", "e", "f ", "g"]) {
    assert.equal(ignores(scope, name), false, name);
  }
});

Deno.test("RuleScope matches hostile patterns in a time that does not explode", () => {
  const stars = "*a".repeat(100);
  const folders = "**/*a*/".repeat(500);
  let scope = scopeOf(`${stars}b`, `${folders}b`, `x/${folders}b`);
  const name = "a".repeat(255);
  for (let depth = 0; depth < 200; depth++) {
    assert.equal(ignores(scope, name), false);
    scope = enter(scope, name);
  }
});
