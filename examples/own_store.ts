// Tests a store of one's own against the contract of all stores:
// deno run -A examples/own_store.ts
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { testStore } from "@snap/store/testing";
import { openSqliteStore } from "./stores/sqlite_store.ts";

const tests: { title: string; run: () => Promise<void> }[] = [];
testStore("SQLite", () => {
  const folder = mkdtempSync(`${tmpdir()}/snap-example-`);
  return Promise.resolve({
    store: openSqliteStore(`${folder}/snaps.db`),
    [Symbol.asyncDispose]: () =>
      Promise.resolve(rmSync(folder, { recursive: true })),
  });
}, (title, run) => tests.push({ title, run }));
for (const { title, run } of tests) {
  await run();
  console.log(`ok ${title}`);
}
