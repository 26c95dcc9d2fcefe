/**
 * Restoring a tree through the library, without the command line, beside
 * `cp -a`. Every case is a program of its own that hashes as it was told to and
 * checks the id of every file. The first restored tree is compared with the
 * original.
 *
 * `deno run -A bench/restore_bench.ts [TREE] [--runs 3] [--write]`, where TREE
 * is a folder or the name of a made tree; `--write` puts the figures into
 * `docs/BENCHMARKS.md`, `--small` only shows that it runs.
 *
 * @module
 */
import { benchTrees } from "./_bench_trees.ts";
import { type CaseOptions, runCase } from "./_case.ts";
import type { CostRows } from "./_cost_rows.ts";
import { type BenchTree, removeTree } from "./_folder.ts";
import { measure } from "./_measure.ts";

const TITLE = "Restore into a new folder";

/** The ways to restore. */
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
  const target = `${folder}/target`;
  const env = { TREE: tree.path, TARGET: target };
  const shell = (command: string) => measure(command, { cwd: folder, env });
  for (let i = 0; i < CASES.length; i++) {
    const one = CASES[(i + round) % CASES.length];
    const options = { ...one, tree: tree.path, store, target };
    const { steps } = await runCase({ ...options, steps: ["restore"] });
    if (round === 0 && i === 0) {
      await shell(`diff -rq --no-dereference "$TREE" "$TARGET"`);
    }
    await removeTree(target);
    const name = `${one.workers} workers, ${one.hasher} hashing`;
    rows.add(TITLE, name, steps.restore!);
  }
  rows.add(TITLE, "cp -a", await shell(`cp -a "$TREE" "$TARGET"`));
  await removeTree(target);
}

if (import.meta.main) {
  await benchTrees({
    name: "restore",
    title: "Restoring",
    needs: { action: "restore", times: 1.6 },
    async prepare(tree, folder) {
      const options = { tree: tree.path, store: `${folder}/store`, workers: 2 };
      await runCase({ ...options, hasher: "native", steps: ["save"] });
    },
    round: runRound,
  });
}
