// Saves a directory, lists what was saved, and writes one file to the output, without
// unpacking anything: deno run -A examples/save_and_read.ts DIRECTORY STORE PATH
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { displayPath } from "@snap/manifest/path";
import { save } from "@snap/save";
import { openSnapshots } from "@snap/snapshot";
import { View } from "@snap/snapshot/view";
import { openFileStore } from "@snap/store/file";
import { initStore } from "@snap/store/format";

const [directory, place, path] = process.argv.slice(2);
const store = await openFileStore(place, { create: true });
await initStore(store);
const snapshots = await openSnapshots(store, { hasher, cacheSize: 8 << 20 });
const { record, totals } = await save(snapshots, directory);
console.error(`${record.tree}: ${totals.fileCount} files`);

const view = await View.open(snapshots, record);
for await (const entry of view.walk()) {
  console.error(`${entry.size} ${displayPath(entry.path)}`);
}
const entry = await view.lookup(path);
if (entry === undefined) throw new Error(`Cannot find ${path} in the snapshot`);
await pipeline(view.stream(entry), process.stdout, { end: false });
await snapshots.close();
