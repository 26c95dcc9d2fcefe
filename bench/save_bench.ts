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
import { benchTrees } from "./_bench_trees.ts";
import { type CaseOptions, runCase } from "./_case.ts";
import type { CostRows } from "./_cost_rows.ts";
import { type BenchTree, removeTree } from "./_folder.ts";
import { measure } from "./_measure.ts";

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
  await benchTrees({ name: "save", title: "Saving", round: runRound });
}
