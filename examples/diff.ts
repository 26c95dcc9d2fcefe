// Says what became of the entries of a directory:
// deno run -A examples/diff.ts BEFORE AFTER
import process from "node:process";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import type { DiffSide } from "@snap/manifest/diff";
import { displayPath } from "@snap/manifest/path";
import { diffSnapshots, snapshotSide } from "@snap/snapshot/query";
import { identify } from "@snap/save/identify";

/** Trees without attributes: times and modes do not count here. */
async function sideOf(path: string): Promise<DiffSide> {
  const found = await identify(path, { hasher: wasmHasher, keepTrees: true });
  return snapshotSide(found, { tree: found.id });
}

const [before, after] = process.argv.slice(2);
const sides = [await sideOf(before), await sideOf(after)] as const;
for await (const { kind, path } of diffSnapshots(...sides)) {
  console.log(`${kind} ${displayPath(path)}`);
}
