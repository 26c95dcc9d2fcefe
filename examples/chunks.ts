// Cuts a file into chunks and prints offset, size and id of each, as a store
// would keep them: deno run -A examples/chunks.ts FILE
import { createReadStream } from "node:fs";
import process from "node:process";
import { Readable } from "node:stream";
import { ChunkStream } from "@snap/hash/chunk-stream";
import { wasmHasher } from "@snap/hash/wasm-hasher";

const bytes = Readable.toWeb(createReadStream(process.argv[2]));
const batches = (bytes as ReadableStream<Uint8Array>)
  .pipeThrough(new ChunkStream());
const seen = new Set<string>();
let offset = 0;
for await (const chunks of batches) {
  for (const chunk of chunks) {
    const id = wasmHasher.idOf(chunk);
    console.log(
      `${offset} ${chunk.length} ${id}${seen.has(id) ? " again" : ""}`,
    );
    seen.add(id);
    offset += chunk.length;
  }
}
