// Begins a save, says so, and never ends: see killed_save_test.ts.
import { argv } from "node:process";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import type { WriteStore } from "@snap/store";
import { openFileStore } from "@snap/store/file";
import { save } from "../save.ts";
import { openSnapshots } from "@snap/snapshot";

const [path, source] = argv.slice(2);
const files = await openFileStore(path);
const store: WriteStore = {
  read: files.read.bind(files),
  size: files.size.bind(files),
  list: files.list.bind(files),
  localPath: files.localPath.bind(files),
  spoolPath: files.spoolPath.bind(files),
  create: files.create.bind(files),
  sync: files.sync.bind(files),
  adopt: () => {
    console.log("a pack is on its way");
    setInterval(() => {}, 1000);
    return new Promise(() => {});
  },
};
const snapshots = await openSnapshots(store, { hasher: wasmHasher });
await save(snapshots, source);
