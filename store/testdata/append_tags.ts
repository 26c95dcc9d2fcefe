// Appends entries to one tag of one store, as one of several processes.
import process from "node:process";
import { openFileStore } from "../file/open_file_store.ts";
import { TagStore } from "../format/tag_store.ts";

const [path, who, count] = process.argv.slice(2);
const tags = new TagStore(await openFileStore(path));
const time = "2026-11-20T05:46:18.000000000Z";
const numbers: number[] = [];
for (let entry = 0; entry < Number(count); entry++) {
  const [tree, record] = [who, entry].map((one) => `${one}`.padStart(64, "0"));
  numbers.push(await tags.append("main", { time, tree, record }));
}
console.log(JSON.stringify(numbers));
