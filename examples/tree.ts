// Prints what a directory is, a line an entry, and last its id. Two machines
// with the same files print the same: deno run -A examples/tree.ts DIRECTORY
import process from "node:process";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { identify } from "@snap/save/identify";
import { manifestText } from "@snap/snapshot/query";

const found = await identify(process.argv[2], {
  hasher: wasmHasher,
  keepTrees: true,
});
const ids = { tree: found.id, page: found.page };
for await (const lines of manifestText(found, ids, { idDigits: 12 })) {
  console.log(lines.join("\n"));
}
for (const { message } of found.errors) console.error(message);
console.log(found.id);
