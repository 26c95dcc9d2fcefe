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
import { benchTrees } from "./_bench_trees.ts";
import type { BenchTree } from "./_folder.ts";
import { measure } from "./_measure.ts";
import { environmentOf } from "./_programs.ts";

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

function shellOf(
  tree: BenchTree,
  folder: string,
): (command: string) => ReturnType<typeof measure> {
  const env = { ...environmentOf(folder), TREE: tree.path };
  return (command) => measure(command, { cwd: folder, env });
}

if (import.meta.main) {
  await benchTrees({
    name: "formats",
    title: "Archives",
    needs: { action: "archive", times: 3 },
    async prepare(tree, folder) {
      await shellOf(tree, folder)(`$SNAP init "$STORE" &&
        $SNAP --store "$STORE" save "$TREE" --tag main &&
        tar -C "$TREE" -cf a.tar .`);
    },
    async round(rows, tree, folder, round) {
      const shell = shellOf(tree, folder);
      for (let i = 0; i < CASES.length; i++) {
        const one = CASES[(i + round) % CASES.length];
        await shell(`$SNAP init "$STORE-new"`);
        rows.add(one.title, one.name, await shell(one.command));
        await shell(`rm -rf "$TARGET" "$STORE-new"`);
      }
    },
  });
}
