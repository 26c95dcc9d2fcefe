/**
 * Saving a tree through the library, without the command line: into a new
 * store, again, and with 1 % of its files changed; beside a bare walk and
 * `cp -a`. Every case is a program of its own that hashes as it was told to.
 *
 * `deno run -A bench/save_bench.ts [TREE] [--runs 3] [--write]`, where TREE is
 * a folder or the name of a made tree; `--write` puts the figures into
 * `docs/BENCHMARKS.md`, `--small` only shows that it runs.
 *
 * @module
 */
import { benchArguments } from "./_arguments.ts";
import { type CaseOptions, runCase } from "./_case.ts";
import { CostRows } from "./_cost_rows.ts";
import {
  type BenchTree,
  prepareTree,
  removeTree,
  withFolder,
} from "./_folder.ts";
import { describeRun, writeSection } from "./_document.ts";
import { measure } from "./_measure.ts";
import { megabytes } from "./_table.ts";

const WALK = new URL("./_walk.ts", import.meta.url).pathname;

const TITLES = {
  save: "Save into a new store",
  again: "Save again, nothing changed",
  changed: "Save again, 1 % of the files changed",
} as const;

/** The ways to save. */
const CASES: readonly Pick<CaseOptions, "workers" | "hasher">[] = [
  { workers: 2, hasher: "native" },
  { workers: 0, hasher: "native" },
  { workers: 2, hasher: "wasm" },
  { workers: 0, hasher: "wasm" },
];

/** Runs every case once, beginning with another one each time. */
async function runRound(
  rows: CostRows,
  tree: BenchTree,
  folder: string,
  round: number,
): Promise<void> {
  const store = `${folder}/store`;
  for (let i = 0; i < CASES.length; i++) {
    const one = CASES[(i + round) % CASES.length];
    const { steps } = await runCase({
      ...one,
      tree: tree.path,
      store,
      steps: tree.isMade ? ["save", "again", "changed"] : ["save", "again"],
    });
    await removeTree(store);
    const name = `${one.workers} workers, ${one.hasher} hashing`;
    for (const step of ["save", "again", "changed"] as const) {
      const cost = steps[step];
      if (cost !== undefined) rows.add(TITLES[step], name, cost);
    }
  }
  const env = { TREE: tree.path, STORE: store };
  const copy = await measure(`cp -a "$TREE" "$STORE"`, { cwd: folder, env });
  rows.add(TITLES.save, "cp -a", copy);
  await removeTree(store);
  const walk = await measure(`deno run -A ${WALK} "$TREE"`, {
    cwd: folder,
    env,
  });
  const wallSeconds = Number(walk.output.split(" ")[1]);
  rows.add(TITLES.again, "a bare walk", { ...walk, wallSeconds });
}

if (import.meta.main) {
  const { names, runCount, size, isWritten } = benchArguments(
    Deno.args,
    "source",
  );
  await withFolder(async (folder) => {
    for (const name of names) {
      const tree = await prepareTree(name, folder, size);
      const rows = new CostRows();
      for (let round = 0; round < runCount; round++) {
        await runRound(rows, tree, folder, round);
      }
      const command = `deno task bench save ${
        tree.isMade ? tree.title : "FOLDER"
      } --runs ${runCount}`;
      const section = `## Saving, ${tree.title}\n\n${tree.fileCount} files, ${
        megabytes(tree.byteCount)
      } MB, medians of ${runCount} runs. ${describeRun(command)}.
${rows.render(tree.byteCount)}`;
      console.log(section);
      if (isWritten) await writeSection(`save ${tree.title}`, section);
      if (tree.isMade) await removeTree(tree.path);
    }
  });
}
