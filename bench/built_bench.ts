/**
 * The program as it is built beside its sources: how long it takes to start, to
 * list a snapshot, and to save a tree that has not changed.
 *
 * `deno run -A bench/built_bench.ts [TREE] [--runs 9] [--write]`, as the other
 * benches of trees.
 *
 * @module
 */
import { ROOT } from "../_tools/workspace.ts";
import { benchTrees } from "./_bench_trees.ts";
import { buildForBench } from "./_built.ts";
import type { CostRows } from "./_cost_rows.ts";
import type { BenchTree } from "./_folder.ts";
import { measure } from "./_measure.ts";

const COMMANDS = {
  "--version": "Start",
  "ls latest": "List the root of a snapshot",
  "save TREE": "Save again, nothing changed",
} as const;

/** The forms of the program, and where each is. */
function formsIn(folder: string): Readonly<Record<string, string>> {
  return {
    built: `${folder}/program/main.js`,
    sources: `${ROOT}cli/main.ts`,
  };
}

function commandOf(main: string, words: string, tree: BenchTree): string {
  const args = words.replace("TREE", `'${tree.path}'`);
  return `deno run -A '${main}' --store "$STORE" ${args}`;
}

async function prepare(tree: BenchTree, folder: string): Promise<void> {
  buildForBench(folder);
  const env = { STORE: `${folder}/kept` };
  const run = (main: string, words: string) =>
    measure(commandOf(main, words, tree), { cwd: folder, env });
  const { built, sources } = formsIn(folder);
  await run(sources, "init");
  await run(sources, "save TREE");
  for (const main of [built, sources]) {
    // The runtime keeps what it compiles from the second run on.
    for (const words of ["save TREE", ...Object.keys(COMMANDS)]) {
      for (let i = 0; i < 2; i++) await run(main, words);
    }
  }
}

async function runRound(
  rows: CostRows,
  tree: BenchTree,
  folder: string,
  round: number,
): Promise<void> {
  const env = { STORE: `${folder}/kept` };
  const forms = Object.entries(formsIn(folder));
  for (const [words, title] of Object.entries(COMMANDS)) {
    for (let i = 0; i < forms.length; i++) {
      const [name, main] = forms[(i + round) % forms.length];
      const command = commandOf(main, words, tree);
      rows.add(title, name, await measure(command, { cwd: folder, env }));
    }
  }
}

if (import.meta.main) {
  await benchTrees({
    name: "built",
    title: "The built program",
    prepare,
    round: runRound,
  });
}
