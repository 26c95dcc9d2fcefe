// What git keeps with a list of patterns, `snap` keeps with the same.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { RULE_FILE_SIZE_MAX } from "@snap/disk/ignore";
import { displayPath } from "@snap/manifest/path";
import { posix } from "@snap/posix";
import {
  bytesOf,
  GitScene,
  hasGit,
  same,
  show,
  someRules,
} from "../tests/_git_scene.ts";
import { seededTest } from "../tests/_prng.ts";
import { Sandbox } from "./_testing.ts";
import { ExitCode } from "./exit_code.ts";

/** Lists of patterns with one tree. */
const LISTS = 10;

if (posix !== undefined && hasGit()) {
  seededTest("snap manifest lists the files that git keeps", async (prng) => {
    using scene = new GitScene();
    using sandbox = new Sandbox();
    for (let i = 0; i < LISTS; i++) {
      const text = someRules(prng, scene.paths);
      writeFileSync(scene.patterns, bytesOf(text));
      const { code, stdout, stderr } = await sandbox.run([
        ...["manifest", scene.tree, "--exclude-from", scene.patterns],
      ]);
      assert.equal(code, 0, stderr);
      const found = stdout.split("\n").map((line) =>
        /^[-x] \S+ \S+ (.*)$/.exec(line)?.[1]
      ).filter((path) => path !== undefined);
      const kept = scene.git("-X", scene.patterns)
        .map((path) => displayPath(bytesOf(path)));
      same(found, kept, show(text));
    }
  }, { roundCount: 2 });
}

/** The names that `snap manifest` lists, in a folder. */
async function names(sandbox: Sandbox, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await sandbox.run([
    ...["manifest", sandbox.at("tree"), ...args],
  ]);
  assert.equal(code, 0, stderr);
  return stdout.trimEnd().split("\n")
    .map((line) => line.replace(/^\S+ \S+ \S+ /, ""));
}

Deno.test("--exclude leaves out what the pattern says, and no more", async () => {
  using sandbox = new Sandbox();
  mkdirSync(sandbox.at("tree"));
  const all = ["#a", "7", "foo*", "foobar", "x1", "x]", "xa"];
  for (const name of all) writeFileSync(sandbox.at("tree", name), "");
  for (
    const [pattern, ...gone] of [
      ["x[!1]", "x]", "xa"],
      ["foo\\*", "foo*"],
      ["\\*"],
      ["[[:digit:]]", "7"],
      ["x[]]", "x]"],
      ["#a", "#a"],
      ["x1 "],
      ["x[1"],
    ]
  ) {
    assert.deepEqual(
      await names(sandbox, "--exclude", pattern),
      all.filter((name) => !gone.includes(name)),
      pattern,
    );
  }
});

Deno.test("--exclude-from takes bytes, and files up to a size", async () => {
  using sandbox = new Sandbox();
  mkdirSync(sandbox.at("tree"));
  for (const name of ["a", "b", "é"]) {
    writeFileSync(sandbox.at("tree", name), "");
  }
  const rules = sandbox.at("rules");
  writeFileSync(rules, bytesOf("\xef\xbb\xbf# all\r\n\xc3[\x80-\xff]\r\nb"));
  assert.deepEqual(await names(sandbox, "--exclude-from", rules), ["a"]);
  const text = `a\n${"#".repeat(RULE_FILE_SIZE_MAX - 2)}`;
  writeFileSync(rules, text);
  assert.deepEqual(await names(sandbox, "--exclude-from", rules), ["b", "é"]);
  for (const file of [rules, "/dev/zero"]) {
    if (file === rules) writeFileSync(rules, `${text}#`);
    const { code, stderr } = await sandbox.run([
      ...["manifest", sandbox.at("tree"), "--exclude-from", file],
    ]);
    assert.equal(code, ExitCode.failed);
    assert.match(
      stderr,
      /Cannot read patterns from ".*": it has more than 1 MiB/,
    );
  }
});
