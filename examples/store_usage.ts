// Counts the files and bytes of each kind in a store:
// deno run -A examples/store_usage.ts STORE
import process from "node:process";
import { openFileStore } from "@snap/store/file";
import { readConfig, TagStore } from "@snap/store/format";

const store = await openFileStore(process.argv[2]);
const { storeId, settings } = await readConfig(store);
console.log(`store ${storeId}, codec ${settings.codec}`);

const usage = new Map<string, { files: number; bytes: number }>();
for await (const batch of store.list("")) {
  for (const { name, size } of batch) {
    const folder = name.split("/", 1)[0];
    const { files, bytes } = usage.get(folder) ?? { files: 0, bytes: 0 };
    usage.set(folder, { files: files + 1, bytes: bytes + size });
  }
}
for (const [folder, { files, bytes }] of [...usage].sort()) {
  console.log(`${folder}: ${files} files, ${bytes} bytes`);
}
for (const [tag, number] of await new TagStore(store).lastNumbers()) {
  console.log(`tag ${tag}: ${number} entries`);
}
