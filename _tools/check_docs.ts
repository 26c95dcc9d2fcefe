// Runs `deno doc --lint` on all entry points at once: package by package it would
// report every type of a sibling as private. Then looks at their module comments.
import { readDocs } from "./deno_doc.ts";
import { commentProblems } from "./tidy.ts";
import { ROOT } from "./workspace.ts";

const entries = await readDocs();
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["doc", "--lint", ...entries.map(({ file }) => file)],
  cwd: ROOT,
  stdout: "null",
  stderr: "inherit",
}).output();
const problems = entries.flatMap(commentProblems);
for (const line of problems) console.error(line);
const isSound = code === 0 && problems.length === 0;
console.log(
  isSound
    ? `Checked ${entries.length} entry points`
    : "The documentation has problems",
);
Deno.exit(isSound ? 0 : 1);
