// Saves what a build has in memory, without a directory, and reads one file back:
// deno run -A examples/save_entries.ts
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { type EntryInput, saveEntries } from "@snap/save/entries";
import { openSnapshots } from "@snap/snapshot";
import { View } from "@snap/snapshot/view";
import { initStore } from "@snap/store/format";
import { MemoryStore } from "@snap/store/memory";

async function* build(): AsyncGenerator<EntryInput> {
  yield { path: "bin/hello", mode: 0o755, content: "#!/bin/sh\necho hello\n" };
  const page = new Blob(["<h1>Hello</h1>\n"]).stream();
  const gzip = page.pipeThrough(new CompressionStream("gzip"));
  yield { path: "www/index.html.gz", content: gzip };
  yield { path: "www/latest", target: "index.html.gz" };
}

const store = new MemoryStore();
await initStore(store);
const snapshots = await openSnapshots(store, { hasher: wasmHasher });
const { id, record } = await saveEntries(snapshots, build(), {
  source: "build",
});
const view = await View.open(snapshots, record);
const hello = await view.lookup("bin/hello");
console.log(`${id}\n${await new Response(view.stream(hello!)).text()}`);
await snapshots.close();
