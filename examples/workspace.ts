// Keeps a checkpoint of a directory after each step, and goes back to the first:
// deno run -A examples/workspace.ts DIRECTORY STORE
import { writeFileSync } from "node:fs";
import process from "node:process";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { openSnapshots } from "@snap/snapshot";
import { openFileStore } from "@snap/store/file";
import { initStore } from "@snap/store/format";
import { Workspace } from "@snap/workspace";

const [directory, place] = process.argv.slice(2);
const store = await openFileStore(place, { create: true });
await initStore(store);
const snapshots = await openSnapshots(store, { hasher: wasmHasher });
const workspace = new Workspace(snapshots, directory);

const { record: first } = await workspace.save();
for (const step of ["one", "two"]) {
  writeFileSync(`${directory}/step`, step);
  const { id, totals } = await workspace.save(); // Opens what has changed.
  console.log(`${step}: ${id}, ${totals.fileCount} files`);
}
const { deletedCount } = await workspace.restore(first!);
console.log(`back: ${deletedCount} removed`);
await workspace.close();
await snapshots.close();
