// Saves a directory, says how far it is, and gives up after a time:
// deno run -A examples/progress.ts DIRECTORY MILLISECONDS
import process from "node:process";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { save } from "@snap/save";
import { openSnapshots } from "@snap/snapshot";
import { initStore } from "@snap/store/format";
import { MemoryStore } from "@snap/store/memory";

const [directory, most] = process.argv.slice(2);
const store = new MemoryStore();
await initStore(store);
const snapshots = await openSnapshots(store, { hasher });
const controller = new AbortController();
const { signal } = controller;
let abortedMs = 0;
setTimeout(() => {
  abortedMs = performance.now();
  controller.abort(new Error("It takes too long"));
}, Number(most)).unref();
await save(snapshots, directory, {
  signal,
  onProgress: ({ fileCount, foundFileCount }) =>
    console.log(`${fileCount} of ${foundFileCount} files`),
}).then(({ id }) => console.log(id), (error) => {
  const ms = Math.round(performance.now() - abortedMs);
  console.log(`${error.message}: gave up within ${ms} ms`);
});
