// Saves a directory and reads one file back, without unpacking anything else:
// deno run -A examples/save_and_read.ts DIRECTORY STORE PATH
import process from "node:process";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { parsePath } from "@snap/manifest/path";
import { save } from "@snap/save";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  initStore,
} from "@snap/store/format";
import { openSnapshots } from "@snap/snapshot";
import { View } from "@snap/snapshot/view";
import { openFileStore } from "@snap/store/file";

const [directory, place, path] = process.argv.slice(2);
const store = await openFileStore(place, { create: true });
await initStore(store, formatSettings(DEFAULT_SETTINGS));
const snapshots = await openSnapshots(store, { hasher: wasmHasher });

const { record, totals } = await save(snapshots, directory);
if (record === undefined) throw new Error("Cannot read without a record");
console.error(`${record.tree}: ${totals.fileCount} files`);

const view = await View.open(snapshots, record);
const entry = await view.lookup(parsePath(path));
if (entry === undefined) throw new Error(`Cannot find ${path} in the snapshot`);
for await (const bytes of view.stream(entry)) process.stdout.write(bytes);
await snapshots[Symbol.asyncDispose]();
