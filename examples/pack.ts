// Packs a file in memory, indexes the pack, and reads each chunk back, checked:
// deno run -A examples/pack.ts FILE
import { readFileSync } from "node:fs";
import process from "node:process";
import { ChunkStream } from "@snap/hash/chunk";
import { idFromBytes } from "@snap/hash";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { ObjectKind, packName, PackRole } from "@snap/pack";
import { buildIndex, type IndexPack } from "@snap/pack/index-writer";
import { PackStream } from "@snap/pack/stream";
import { openStoreReader } from "@snap/pack/read";
import { zstdCodec } from "@snap/pack/codecs";
import { MemoryStore } from "@snap/store/memory";

const content = readFileSync(process.argv[2]);
const store = new MemoryStore();
const saveId = crypto.getRandomValues(new Uint8Array(16));
const packs: IndexPack[] = [];

// Bytes to chunks to packs.
const packed = new Blob([content]).stream()
  .pipeThrough(new ChunkStream())
  .pipeThrough(
    new PackStream({ role: PackRole.data, saveId, codec: zstdCodec(), hasher }),
  );
for await (const pack of packed) {
  const bytes = await new Blob(pack.parts).arrayBuffer();
  await store.create(packName(pack.id), new Uint8Array(bytes));
  packs.push(pack);
}

// The index says in which pack and frame an object lies.
const [index] = buildIndex(packs, {
  saveId,
  salt: crypto.getRandomValues(new Uint8Array(32)),
  timeMs: Date.now(),
  hasher,
});
await store.create(index.name, index.bytes);

// Every byte that comes back was checked against its id.
const reader = await openStoreReader(store, { hasher });
for (const { table, size } of packs) {
  console.log(
    `${content.length} bytes in ${table.frameCount} frames of ${size} bytes`,
  );
  for (let row = 0; row < table.objectCount; row++) {
    const start = table.idStart(row);
    const id = table.bytes.slice(start, start + 32);
    const bytes = await reader.readObject(id, ObjectKind.content);
    console.log(`${idFromBytes(id)} ${bytes.length}`);
  }
}
await reader.close();
