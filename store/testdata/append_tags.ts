// Appends entries to one tag of one store, as one of several processes.
import process from "node:process";
import { openFileStore } from "../file/open_file_store.ts";
import { TagStore } from "../format/tag_store.ts";

const [path, who, count] = process.argv.slice(2);
const tags = new TagStore<{ who: string; entry: number }>(
  await openFileStore(path),
);
const numbers: number[] = [];
for (let entry = 0; entry < Number(count); entry++) {
  numbers.push(await tags.append("main", { who, entry }));
}
console.log(JSON.stringify(numbers));
