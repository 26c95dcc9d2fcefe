// Runs `deno doc --lint` on all entry points at once: package by package it would
// report every type of a sibling as private.
import { readPackages, ROOT } from "./workspace.ts";

const entries = readPackages().flatMap(({ folder, exports }) =>
  Object.values(exports).map((file) => `${folder}/${file.slice(2)}`)
);
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["doc", "--lint", ...entries],
  cwd: ROOT,
  stdout: "null",
  stderr: "inherit",
}).output();
console.log(
  code === 0
    ? `Checked ${entries.length} entry points`
    : "The documentation has problems",
);
Deno.exit(code);
