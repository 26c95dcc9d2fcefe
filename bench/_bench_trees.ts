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
import { megabytes } from "./_table.ts";

/** A bench of trees: what it does with one. */
export interface TreeBench {
  /** Its name, as `deno task bench` knows it. */
  readonly name: string;
  /** The title of its section. */
  readonly title: string;
  /** What cannot be done where memory is short, and how many times the tree it needs. */
  readonly needs?: { readonly action: string; readonly times: number };
  /** Does what comes before the first round. */
  readonly prepare?: (tree: BenchTree, folder: string) => Promise<void>;
  /** Runs every case once; `folder/store` is removed after the last round. */
  readonly round: (
    rows: CostRows,
    tree: BenchTree,
    folder: string,
    round: number,
  ) => Promise<void>;
}

/** Measures the trees that the command line names, one after the other, and prints a section of each. */
export async function benchTrees(bench: TreeBench): Promise<void> {
  const { name: benchName, title, needs, prepare, round } = bench;
  const { names, runCount, size, isWritten } = benchArguments(
    Deno.args,
    "source",
  );
  await withFolder(async (folder) => {
    for (const name of names) {
      const tree = await prepareTree(name, folder, size);
      if (needs !== undefined && !hasRoom(tree.byteCount * needs.times)) {
        throw new RangeError(
          `Cannot ${needs.action} ${name} as memory is short`,
        );
      }
      await prepare?.(tree, folder);
      const rows = new CostRows();
      for (let i = 0; i < runCount; i++) await round(rows, tree, folder, i);
      const command = `deno task bench ${benchName} ${
        tree.isMade ? tree.title : "FOLDER"
      } --runs ${runCount}`;
      const section = `## ${title}, ${tree.title}\n\n${tree.fileCount} files, ${
        megabytes(tree.byteCount)
      } MB, medians of ${runCount} runs. ${describeRun(command)}.
${rows.render(tree.byteCount)}`;
      console.log(section);
      if (isWritten) await writeSection(`${benchName} ${tree.title}`, section);
      await removeTree(`${folder}/store`);
      if (tree.isMade) await removeTree(tree.path);
    }
  });
}
