// Tells the id of a directory that lies elsewhere from what standard programs say
// of its files; it must have nothing but files, and none that can be run:
// ssh host 'cd DIR && for f in *; do wc -c <"$f"; b3sum "$f"; done' |
//   deno run -A examples/tree_id.ts
import process from "node:process";
import { createInterface } from "node:readline";
import { idToBytes, parseId, TREE_CONTEXT } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { EntryKind } from "@snap/manifest/extras";
import { joinPieces } from "@snap/manifest";
import { TreeDraft } from "@snap/manifest/draft";

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

files.sort((a, b) => Buffer.compare(a.name, b.name));
const names = Buffer.concat(files.map(({ name }) => name));
let end = 0;
const ends = Uint32Array.from(files, ({ name }) => end += name.length);
const draft = new TreeDraft({ rowsMax: files.length, names, ends });
for (const { id, size } of files) {
  draft.setContent(draft.add(EntryKind.file), size, id);
}
const hash = wasmHasher.deriveStream(TREE_CONTEXT);
hash.update(joinPieces(draft.finish()));
console.log(hash.digest());
