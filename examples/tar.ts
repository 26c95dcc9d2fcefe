// Writes the newest snapshot of a store as a tar archive, and prints its SHA-256:
// deno run -A examples/tar.ts STORE ARCHIVE
import { closeSync, openSync, writeSync } from "node:fs";
import process from "node:process";
import { exportTar } from "@snap/formats/tar";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { openSnapshots } from "@snap/snapshot";
import { View } from "@snap/snapshot/view";
import { openFileStore } from "@snap/store/file";

const [place, archive] = process.argv.slice(2);
const store = await openFileStore(place);
const snapshots = await openSnapshots(store, { hasher: wasmHasher });
const [newest] = await snapshots.records();
const view = await View.open(snapshots, newest);

const file = openSync(archive, "wx");
const sink = {
  write(bytes: Uint8Array) {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    return Promise.resolve();
  },
};
const { sha256 } = await exportTar(view, view.root, sink, { snapshots });
closeSync(file);
console.log(sha256);
await snapshots.close();
