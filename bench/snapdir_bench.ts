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
import { benchArguments } from "./_arguments.ts";
import { CostRows } from "./_cost_rows.ts";
import { describeRun, writeSection } from "./_document.ts";
import {
  type BenchTree,
  hasRoom,
  prepareTree,
  removeTree,
  withFolder,
} from "./_folder.ts";
import { measure } from "./_measure.ts";
import { environmentOf } from "./_programs.ts";
import { megabytes } from "./_table.ts";

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
  const { names, runCount, size, isWritten } = benchArguments(
    Deno.args,
    "source",
  );
  await withFolder(async (folder) => {
    for (const name of names) {
      const tree = await prepareTree(name, folder, size);
      if (!hasRoom(tree.byteCount * 4)) {
        throw new RangeError(`Cannot export ${name} as memory is short`);
      }
      const env = { ...environmentOf(folder), TREE: tree.path };
      const shell = (command: string) => measure(command, { cwd: folder, env });
      await shell(`${SNAP} store init`);
      await shell(`${SNAP} store save "$TREE" -t main`);
      const rows = new CostRows();
      for (let round = 0; round < runCount; round++) {
        await runRound(rows, tree, folder);
      }
      const command = `deno task bench snapdir ${
        tree.isMade ? tree.title : "FOLDER"
      } --runs ${runCount}`;
      const section =
        `## Stores of snapdir, ${tree.title}\n\n${tree.fileCount} files, ${
          megabytes(tree.byteCount)
        } MB, medians of ${runCount} runs. ${describeRun(command)}.
${rows.render(tree.byteCount)}`;
      console.log(section);
      if (isWritten) await writeSection(`snapdir ${tree.title}`, section);
      await removeTree(`${folder}/store`);
      if (tree.isMade) await removeTree(tree.path);
    }
  });
}
