import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import {
  IgnoreRules,
  loadIgnoreLibrary,
  type RuleScope,
} from "./ignore_rules.ts";
import { openSource } from "./source.ts";
import { bytes, pathsOf, tempDir } from "./testdata/temp_dir.ts";

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
  const scope = scopeOf("[/", "[z-a]", "\\\\)", "good");
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

Deno.test("RuleScope answers alike after more tests than a matcher remembers", () => {
  const scope = scopeOf("*.log", "!7.log");
  for (let i = 0; i < 25_000; i++) {
    assert.equal(ignores(scope, `${i}.log`), i !== 7);
  }
});

Deno.test("IgnoreRules looks for no rule files if told so", () => {
  assert.equal(new IgnoreRules({ fileName: "" }).fileName, undefined);
  assert.deepEqual(
    new IgnoreRules({ fileName: ".gitignore" }).fileName,
    bytes(".gitignore"),
  );
});

Deno.test("loadIgnoreLibrary() can be called at any time", async () => {
  await loadIgnoreLibrary();
  assert.equal(ignores(scopeOf("a"), "a"), true);
});

function hasGit(): boolean {
  try {
    execFileSync("git", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const TREE = [
  ".gitignore:*.o\n!main.o\n/out\nlogs/**\n!logs/keep\ntmp/*\n!tmp/x/\nname with space\\ \n",
  "main.o",
  "a.o",
  "out/file",
  "src/out/file",
  "src/a.o",
  "src/.gitignore:!a.o\n*.c\n!/b.c\ndoc/*/z\n",
  "src/a.c",
  "src/b.c",
  "src/sub/b.c",
  "src/doc/1/z",
  "src/doc/1/2/z",
  "logs/keep",
  "logs/a/b",
  "tmp/x/file",
  "tmp/y/file",
  "name with space ",
  "[a]",
  "deep/a/b/c/main.o",
  "deep/a/.gitignore:*\n!b/\n!b/c/\n!.gitignore\n",
];

Deno.test({
  name: "a source keeps the files that git keeps",
  ignore: !hasGit(),
  fn() {
    using dir = tempDir();
    for (const entry of TREE) {
      const [path, content] = entry.split(/:(.*)/s);
      const parent = path.includes("/")
        ? path.slice(0, path.lastIndexOf("/"))
        : "";
      mkdirSync(`${dir.path}/${parent}`, { recursive: true });
      writeFileSync(`${dir.path}/${path}`, content ?? "");
    }
    const git = (...args: string[]): string => {
      return execFileSync("git", ["-C", dir.path, ...args], {
        encoding: "utf8",
      });
    };
    git("init", "-q");
    const kept = git("ls-files", "-z", "--others", "--exclude-standard").split(
      "\0",
    ).filter(Boolean);
    const ignore = new IgnoreRules({
      fileName: ".gitignore",
      exclude: [".git/"],
    });
    using source = openSource(dir.path, { ignore });
    const found = pathsOf(source).filter((path) => !path.endsWith("/"));
    assert.deepEqual(found.sort(), kept.sort());
  },
});
