// What git keeps with a list of patterns, a save keeps with the same.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { IgnoreRules } from "@snap/disk/ignore";
import { openSource, type SourceDirectory } from "@snap/disk/source";
import { posix } from "@snap/posix";
import {
  bytesOf,
  GitScene,
  hasGit,
  RULED,
  same,
  show,
  somePattern,
  someRules,
  textOf,
} from "./_git_scene.ts";
import { seededTest } from "./_prng.ts";

/** The files that a source keeps. */
function filesOf(tree: string, ignore: IgnoreRules): string[] {
  using source = openSource(tree, { ignore });
  const paths: string[] = [];
  const visit = (directory: SourceDirectory): void => {
    for (let i = 0; i < directory.count; i++) {
      if (!directory.isDirectory(i)) paths.push(textOf(directory.pathOf(i)));
      else {
        const child = directory.child(i);
        if (child instanceof Error) throw child;
        using below = child;
        visit(below);
      }
    }
  };
  using root = source.root();
  visit(root);
  assert.deepEqual(source.errors, []);
  return paths.sort();
}

/** Rounds with one tree. */
const LISTS = 40;

if (posix !== undefined && hasGit()) {
  seededTest("a list of patterns leaves out what git leaves out", (prng) => {
    using scene = new GitScene();
    for (let i = 0; i < LISTS; i++) {
      const text = someRules(prng, scene.paths);
      writeFileSync(scene.patterns, bytesOf(text));
      const ignore = new IgnoreRules({
        excludeFiles: [bytesOf(text)],
        fileName: "",
      });
      same(
        filesOf(scene.tree, ignore),
        scene.git("-X", scene.patterns),
        show(text),
      );
    }
  }, { roundCount: 6 });

  seededTest(
    "rule files in directories leave out what git leaves out",
    (prng) => {
      using scene = new GitScene();
      for (let i = 0; i < LISTS; i++) {
        const rules = new Map<string, string>();
        for (const directory of RULED) {
          if (prng.below(2) > 0) {
            rules.set(directory, someRules(prng, scene.paths));
          }
        }
        scene.writeRules(rules);
        const exclude = [somePattern(prng, scene.paths), "!/a/.gitignore"]
          .filter((pattern) => /^[\t\r -~]+$/.test(pattern));
        const ignore = new IgnoreRules({ fileName: ".gitignore", exclude });
        const flags = exclude.map((pattern) => `--exclude=${pattern}`);
        const kept = scene.git("--exclude-per-directory=.gitignore", ...flags);
        same(
          filesOf(scene.tree, ignore),
          kept,
          show(JSON.stringify([...rules, exclude])),
        );
      }
    },
    { roundCount: 4 },
  );
}
