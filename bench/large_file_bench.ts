/**
 * One large file saved with one worker and with two, which share it: time,
 * memory, and that both make the same recipe, byte for byte. Half of the file
 * compresses, and nothing in it comes twice. Beside it, how much faster two
 * programs at once are than one after the other: more cannot be had from the
 * machine. At the end it is restored, and the original is gone by then.
 *
 * `deno run -A bench/large_file_bench.ts [--size MIB] [--runs 1] [--write]`,
 * 8 GiB if nothing else is said; `--write` puts the figures into
 * `docs/BENCHMARKS.md`, `--small` only shows that it runs. File and store lie in
 * memory: 1.8 times the size has to be free, and some.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { ID_SIZE, idToBytes, parseId } from "@snap/hash";
import { EntryKind } from "@snap/manifest/extras";
import { Tree } from "@snap/manifest";
import { ObjectKind } from "@snap/pack";
import { RecipeNode, RecipeRowKind } from "@snap/pack/recipe";
import type { StoreReader } from "@snap/pack/read";
import { openSnapshots } from "@snap/snapshot";
import { openFileStore } from "@snap/store/file";
import { runCase } from "./_case.ts";
import { CostRows } from "./_cost_rows.ts";
import { hasRoom, removeTree, withFolder } from "./_folder.ts";
import { describeRun, writeSection } from "./_document.ts";
import { measure } from "./_measure.ts";
import { makeBigFile } from "./_trees.ts";

const SAVE = "Save into a new store";
const MEBIBYTE = 2 ** 20;
const PART_SIZE = 256 * MEBIBYTE;
const SMALL_SIZE = 40 * MEBIBYTE; // Above the least size that workers share.

/** Reads all nodes of the recipe of the only file in the newest snapshot. */
async function readRecipe(path: string, id: string): Promise<Uint8Array[]> {
  const store = await openFileStore(path);
  await using snapshots = await openSnapshots(store, { hasher: wasmHasher });
  const reader = await snapshots.reader();
  const { tree: kind } = ObjectKind;
  const bytes = await reader.readObject(idToBytes(parseId(id)), kind);
  const tree = Tree.decode(bytes);
  if (tree.count !== 1 || tree.kind(0) !== EntryKind.file) {
    throw new Error(`Cannot compare recipes of ${tree.count} entries`);
  }
  return await readNodes(reader, tree.idBytes(0));
}

/** Reads a node and all below it. */
async function readNodes(
  reader: StoreReader,
  id: Uint8Array,
): Promise<Uint8Array[]> {
  const bytes = await reader.readStored(id, ObjectKind.recipe);
  if (bytes === undefined) throw new Error("Cannot find a node of the recipe");
  const node = RecipeNode.decode(bytes, wasmHasher);
  const nodes: Uint8Array[] = [bytes];
  for (let i = 0; i < node.count; i++) {
    if (node.rowKind(i) !== RecipeRowKind.node) continue;
    const start = node.idStart(i);
    const below = node.bytes.slice(start, start + ID_SIZE);
    nodes.push(...await readNodes(reader, below));
  }
  return nodes;
}

function isSame(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length &&
    a.every((node, i) => node.toHex() === b[i].toHex());
}

/** How many times as much two programs do in the time of one. */
async function scalingOf(file: string, folder: string): Promise<number> {
  const env = { FILE: file, PART: `${folder}/part` };
  const shell = (command: string) => measure(command, { cwd: folder, env });
  await shell(`head -c ${PART_SIZE} "$FILE" > "$PART"`);
  const run = `zstd -q -1 -T1 -c "$PART" > /dev/null`;
  const one = await shell(`${run}; ${run}`);
  const two = await shell(`${run} & ${run} & wait`);
  await Deno.remove(env.PART);
  return one.wallSeconds / two.wallSeconds;
}

/** Saves once with so many workers, and returns the recipe. */
async function saveOnce(
  rows: CostRows,
  workers: number,
  { tree, store }: { tree: string; store: string },
): Promise<Uint8Array[]> {
  const hasher = "native";
  const options = { tree, store, workers, hasher } as const;
  const { steps, id } = await runCase({ ...options, steps: ["save", "again"] });
  const name = workers === 1 ? "1 worker" : `${workers} workers`;
  rows.add(SAVE, name, steps.save!);
  rows.add("Save again, nothing changed", name, steps.again!);
  return await readRecipe(store, id);
}

async function main(
  size: number,
  runCount: number,
  isWritten: boolean,
): Promise<void> {
  await withFolder(async (folder) => {
    if (!hasRoom(size * 1.8)) {
      throw new RangeError(`Cannot make ${size} bytes as memory is short`);
    }
    const tree = `${folder}/tree`;
    const store = `${folder}/store`;
    const target = `${folder}/target`;
    makeBigFile(tree, size);
    const scaling = await scalingOf(`${tree}/big.bin`, folder);
    const rows = new CostRows();
    for (let run = 0; run < runCount; run++) {
      const one = await saveOnce(rows, 1, { tree, store });
      await removeTree(store);
      const two = await saveOnce(rows, 2, { tree, store });
      if (!isSame(one, two)) {
        throw new Error("Cannot trust two workers: they made another recipe");
      }
      if (run < runCount - 1) await removeTree(store);
    }
    await removeTree(tree);
    const hasher = "native";
    const options = { tree, store, target, hasher, workers: 2 } as const;
    const { steps } = await runCase({ ...options, steps: ["restore"] });
    rows.add("Restore into a new folder", "2 workers", steps.restore!);
    const speedUp = rows.median(SAVE, "1 worker") /
      rows.median(SAVE, "2 workers");
    const mebibytes = size / MEBIBYTE;
    const command = `deno task bench large_file --size ${mebibytes}`;
    const section =
      `## One large file\n\n${mebibytes} MiB, half of them compressible, nothing twice, median of ${runCount}. ${
        describeRun(command)
      }, with native hashing. Both recipes are byte-equal. Two workers are ${
        speedUp.toFixed(2)
      } times as fast as one; two programs that compress at once do ${
        scaling.toFixed(2)
      } times as much as one.
${rows.render(size)}`;
    console.log(section);
    if (isWritten) await writeSection("large file", section);
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      size: { type: "string", default: "8192" },
      runs: { type: "string", default: "1" },
      small: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
    },
  });
  const size = values.small ? SMALL_SIZE : Number(values.size) * MEBIBYTE;
  const runCount = values.small ? 1 : Number(values.runs);
  await main(size, runCount, values.write && !values.small);
}
