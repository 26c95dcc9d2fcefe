// Cuts what a server sends into chunks while it comes, and prints offset, size and
// id of each, as a store would keep them: deno run -A examples/chunks.ts URL
import process from "node:process";
import { ChunkStream } from "@snap/hash/chunk";
import { wasmHasher } from "@snap/hash/wasm-hasher";

const { ok, status, body } = await fetch(process.argv[2]);
if (!ok || body === null) throw new Error(`Cannot fetch: found ${status}`);
const seen = new Set<string>();
let offset = 0;
for await (const chunks of body.pipeThrough(new ChunkStream())) {
  for (const chunk of chunks) {
    const id = wasmHasher.idOf(chunk);
    console.log(
      `${offset} ${chunk.length} ${id}${seen.has(id) ? " again" : ""}`,
    );
    seen.add(id);
    offset += chunk.length;
  }
}
