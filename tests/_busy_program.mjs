// Saves for ever on two threads, says so, and then ends as it was asked to.
import process from "node:process";

const { scope, source, end } = JSON.parse(process.argv[2]);
const load = (entry) => import(`${scope}/${entry}`);
const { wasmHasher } = await load("hash/wasm-hasher");
const { initStore } = await load("store/format");
const { MemoryStore } = await load("store/memory");
const { DEFAULT_SETTINGS, formatSettings } = await load("snapshot");
const { openSnapshots } = await load("snapshot");
const { save } = await load("save");

const ENDS = {
  exit: () => process.exit(3),
  exception: () => {
    throw new Error("Thrown while workers run");
  },
  signal: () => {},
};

let isBusy = false;
function begin({ readFileCount }) {
  if (isBusy || readFileCount === 0) return;
  isBusy = true;
  console.log("busy");
  setTimeout(ENDS[end]);
}

for (;;) {
  const store = new MemoryStore();
  await initStore(
    store,
    formatSettings({ ...DEFAULT_SETTINGS, codec: "zstd:12" }),
  );
  const snapshots = await openSnapshots(store, { hasher: wasmHasher });
  await save(snapshots, source, { workers: 2, onProgress: begin });
  await snapshots[Symbol.asyncDispose]();
}
