/**
 * Archives by the command line beside tar and zstd: a snapshot exported, and an
 * archive imported.
 *
 * `deno task bench formats [TREE] [--runs 3] [--write]`, where TREE is a folder or
 * the name of a made tree; `--write` puts the figures into `docs/BENCHMARKS.md`,
 * `--small` only shows that it runs.
 *
 * @module
 */
import { benchArguments } from "./_arguments.ts";
import { CostRows } from "./_cost_rows.ts";
import { describeRun, writeSection } from "./_document.ts";
import { hasRoom, prepareTree, removeTree, withFolder } from "./_folder.ts";
import { measure } from "./_measure.ts";
import { environmentOf } from "./_programs.ts";
import { megabytes } from "./_table.ts";

/** Each way to one end, ours first: what is made ready, what is measured. */
const CASES: readonly {
  readonly title: string;
  readonly name: string;
  readonly command: string;
}[] = [
  {
    title: "Export as tar",
    name: "snap export --as tar",
    command: `$SNAP --store "$STORE" export main --as tar - | cat > /dev/null`,
  },
  {
    title: "Export as tar",
    name: "tar -cf",
    command: `tar -C "$TREE" -cf - . | cat > /dev/null`,
  },
  {
    title: "Export as tar.zst",
    name: "snap export --as tar.zst",
    command:
      `$SNAP --store "$STORE" export main --as tar.zst - | cat > /dev/null`,
  },
  {
    title: "Export as tar.zst",
    name: "tar, zstd -3 -T2",
    command: `tar -C "$TREE" -cf - . | zstd -3 -T2 | cat > /dev/null`,
  },
  {
    title: "Import of a tar",
    name: "snap import --from tar",
    command: `$SNAP --store "$STORE-new" import --from tar a.tar`,
  },
  {
    title: "Import of a tar",
    name: "tar -x, snap save",
    command: `mkdir "$TARGET" && tar -C "$TARGET" -xf a.tar &&
      $SNAP --store "$STORE-new" save "$TARGET"`,
  },
];

if (import.meta.main) {
  const { names, runCount, size, isWritten } = benchArguments(
    Deno.args,
    "source",
  );
  await withFolder(async (folder) => {
    for (const name of names) {
      const tree = await prepareTree(name, folder, size);
      if (!hasRoom(tree.byteCount * 3)) {
        throw new RangeError(`Cannot archive ${name} as memory is short`);
      }
      const env = { ...environmentOf(folder), TREE: tree.path };
      const shell = (command: string) => measure(command, { cwd: folder, env });
      await shell(`$SNAP init "$STORE" &&
        $SNAP --store "$STORE" save "$TREE" --tag main &&
        tar -C "$TREE" -cf a.tar .`);
      const rows = new CostRows();
      for (let round = 0; round < runCount; round++) {
        for (let i = 0; i < CASES.length; i++) {
          const one = CASES[(i + round) % CASES.length];
          await shell(`$SNAP init "$STORE-new"`);
          rows.add(one.title, one.name, await shell(one.command));
          await shell(`rm -rf "$TARGET" "$STORE-new"`);
        }
      }
      const command = `deno task bench formats ${
        tree.isMade ? tree.title : "FOLDER"
      } --runs ${runCount}`;
      const section = `## Archives, ${tree.title}\n\n${tree.fileCount} files, ${
        megabytes(tree.byteCount)
      } MB, medians of ${runCount} runs. ${describeRun(command)}.
${rows.render(tree.byteCount)}`;
      console.log(section);
      if (isWritten) await writeSection(`formats ${tree.title}`, section);
      await removeTree(`${folder}/store`);
      if (tree.isMade) await removeTree(tree.path);
    }
  });
}
