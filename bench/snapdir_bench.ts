/**
 * Snapshots into a store of snapdir and out of it, beside snapdir itself: `push`
 * of the tree and `pull` of what was pushed. An export makes its files durable,
 * which `push` does not; an import stores contents anew, `pull` writes files. The
 * store that was exported is compared with the one that was pushed.
 *
 * `deno run -A bench/snapdir_bench.ts [TREE] [--runs 3] [--write]`, where TREE is
 * a folder or the name of a made tree; `--write` puts the figures into
 * `docs/BENCHMARKS.md`, `--small` only shows that it runs. Python with the package
 * snapdir is `SNAP_SNAPDIR_PYTHON`; without it only `snap` runs.
 *
 * @module
 */
import process from "node:process";
import { lacksSnapdir, SNAPDIR_SCRIPT } from "../tests/_snapdir.ts";
import { benchTrees } from "./_bench_trees.ts";
import type { CostRows } from "./_cost_rows.ts";
import { type BenchTree, removeTree } from "./_folder.ts";
import { measure } from "./_measure.ts";
import { environmentOf } from "./_programs.ts";

const OUT = "A snapshot into a new store of snapdir";
const IN = "A snapshot out of a store of snapdir";
const MAIN = new URL("../cli/main.ts", import.meta.url).pathname;
const SNAP = `"${Deno.execPath()}" run -A "${MAIN}" --store`;

/** Runs each way once. */
async function runRound(
  rows: CostRows,
  tree: BenchTree,
  folder: string,
): Promise<void> {
  const env = {
    ...environmentOf(folder),
    ...{ TREE: tree.path, SCRIPT: SNAPDIR_SCRIPT },
    PYTHON: process.env.SNAP_SNAPDIR_PYTHON ?? "",
  };
  const shell = (command: string) => measure(command, { cwd: folder, env });
  const run = `${SNAP} store export main --as snapdir --no-follow ours`;
  rows.add(OUT, "snap export", await shell(run));
  if (!lacksSnapdir()) {
    const call = `"$PYTHON" -c "$SCRIPT"`;
    const store = `"file://$PWD/theirs"`;
    rows.add(OUT, "snapdir push", await shell(`${call} push "$TREE" ${store}`));
    const { output } = await shell(`ls -d theirs/.manifests/*/*/*/*`);
    const id = output.trim().split("/").slice(2).join("");
    rows.add(
      IN,
      "snapdir pull",
      await shell(`${call} pull ${id} ${store} out`),
    );
    await removeTree(`${folder}/out`);
    await shell("diff -r ours/.objects theirs/.objects");
  }
  await shell(`${SNAP} other init`);
  rows.add(
    IN,
    "snap import",
    await shell(`${SNAP} other import --from snapdir ours`),
  );
  rows.add(
    IN,
    "snap import, contents known",
    await shell(`${SNAP} other import --from snapdir ours`),
  );
  for (const name of ["ours", "theirs", "other"]) {
    await shell(`rm -rf ${name}`);
  }
}

if (import.meta.main) {
  await benchTrees({
    name: "snapdir",
    title: "Stores of snapdir",
    needs: { action: "export", times: 4 },
    async prepare(tree, folder) {
      const env = { ...environmentOf(folder), TREE: tree.path };
      for (const words of ["init", `save "$TREE" -t main`]) {
        await measure(`${SNAP} store ${words}`, { cwd: folder, env });
      }
    },
    round: runRound,
  });
}
