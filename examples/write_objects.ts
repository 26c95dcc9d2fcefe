// Saves two files that are only in memory, and the tree that names them; no disk:
// deno run -A examples/write_objects.ts
import { idFromBytes, TREE_CONTEXT } from "@snap/hash";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { joinPieces, Tree } from "@snap/manifest";
import { TreeDraft } from "@snap/manifest/draft";
import { EntryKind } from "@snap/manifest/extras";
import { ObjectKind } from "@snap/pack";
import { openStoreReader } from "@snap/pack/read";
import { openObjectWriter } from "@snap/pack/write";
import { DEFAULT_SETTINGS as settings } from "@snap/store/format";
import { MemoryStore } from "@snap/store/memory";

const store = new MemoryStore();
const saveId = crypto.getRandomValues(new Uint8Array(16));
const writer = await openObjectWriter(store, { saveId, hasher, settings });
const sink = writer.sink();
const names = new TextEncoder().encode("ab"), ends = Uint32Array.of(1, 2);
const tree = new TreeDraft({ rowsMax: 2, names, ends });
const id = new Uint8Array(32);
for (const text of ["hello", "hello, world"]) {
  const bytes = new TextEncoder().encode(text);
  sink.reserve(bytes.length).set(bytes);
  hasher.hashInto(bytes, id);
  sink.commit(id, 0, bytes.length);
  tree.setContent(tree.add(EntryKind.file), bytes.length, id);
}
const bytes = joinPieces(tree.finish());
hasher.deriveInto(TREE_CONTEXT, bytes, id, 0);
sink.put(bytes, id, 0, ObjectKind.tree);
await writer.finish(); // A record would be written here: all that it needs is durable.
await writer.confirm();
await writer[Symbol.asyncDispose]();

const reader = await openStoreReader(store, { hasher });
const saved = Tree.decode(await reader.readObject(id, ObjectKind.tree));
console.log(`${idFromBytes(id)}: ${saved.count} files`);
await reader.close();
