// Keeps ten blobs by their ids, without files and trees, and reads them back:
// deno run -A examples/objects.ts
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { openObjects } from "@snap/save/objects";
import { MemoryStore } from "@snap/store/memory";

const objects = await openObjects(new MemoryStore(), { hasher: wasmHasher });
const ids = [];
for (let i = 0; i < 10; i++) {
  ids.push(await objects.put(new Blob([`blob ${i}`])));
}
for (const id of ids) {
  console.log(`${id}: ${await new Response(await objects.get(id)).text()}`);
}
await objects.close();
