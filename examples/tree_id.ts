// Tells the id of a directory that lies elsewhere from what standard programs say
// of its files; it must have nothing but files, and none that can be run:
// ssh host 'cd DIR && for f in *; do wc -c <"$f"; b3sum "$f"; done' |
//   deno run -A examples/tree_id.ts
import process from "node:process";
import { createInterface } from "node:readline";
import { idToBytes, parseId } from "@snap/hash/id";
import { TREE_CONTEXT } from "@snap/hash/hasher";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { EntryKind } from "@snap/manifest/entry-kind";
import { TreeBuilder } from "@snap/manifest/tree-builder";

const files: { name: Uint8Array; id: Uint8Array; size: number }[] = [];
let size = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const [, sum, name] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
  if (sum === undefined) size = Number(line);
  else {
    const id = idToBytes(parseId(sum));
    files.push({ name: new TextEncoder().encode(name), id, size });
  }
}

const builder = new TreeBuilder();
files.sort((a, b) => Buffer.compare(a.name, b.name));
for (const { name, id, size } of files) {
  const row = builder.add(name, 0, name.length, EntryKind.file);
  builder.setContent(row, size, id);
}
const hash = wasmHasher.deriveStream(TREE_CONTEXT);
hash.update(builder.build());
console.log(hash.digest());
