// Serves a directory to an agent by the Model Context Protocol, with a store in memory:
// deno run -A examples/mcp.ts DIRECTORY
import process from "node:process";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { serveMcp } from "@snap/mcp";
import { openSnapshots } from "@snap/snapshot";
import { initStore } from "@snap/store/format";
import { MemoryStore } from "@snap/store/memory";

const store = new MemoryStore();
await initStore(store);
await serveMcp({
  open: async () => {
    const snapshots = await openSnapshots(store, { hasher: wasmHasher });
    const close = () => snapshots.close();
    return { snapshots, [Symbol.asyncDispose]: close };
  },
  roots: [process.argv[2]],
  identity: { name: "example", version: "1.0.0" },
  signal: new AbortController().signal,
});
