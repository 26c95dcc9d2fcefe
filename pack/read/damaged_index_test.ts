import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { INDEX_PAGE_SIZE, indexPages } from "@snap/pack/index";
import { openIndex } from "@snap/pack/read";
import { openFileStore } from "@snap/store/file";
import { restore } from "@snap/restore";
import { openSnapshots } from "@snap/snapshot";
import { describeTree, saveTree, TestFolder } from "../../tests/_test_trees.ts";
import { View } from "@snap/snapshot/view";

/** A saved tree, in whose index table every page of frames and objects is damaged. */
async function damagedStore(folder: TestFolder): Promise<string[]> {
  for (let i = 0; i < 300; i++) {
    folder.file(`source/${i % 9}/${i}`, `content ${i}`);
  }
  const { snapshots } = await saveTree(folder.at("source"), folder.at("store"));
  await using _ = snapshots;
  const { store } = snapshots;
  const { index } = await openIndex(store, { hasher: wasmHasher });
  const names: string[] = [];
  for (const { name, size, head } of index.tables) {
    const path = (await openFileStore(folder.at("store"))).localPath(name);
    const bytes = readFileSync(path);
    const { framesFirst, count } = indexPages(head);
    const first = size - count * INDEX_PAGE_SIZE;
    for (let page = framesFirst; page < count; page++) {
      bytes[first + page * INDEX_PAGE_SIZE + 80] ^= 1;
    }
    writeFileSync(path, bytes);
    names.push(name);
  }
  return names;
}

for (const workers of [0, 1]) {
  Deno.test(`what is read beside a damaged index is whole, and said once: ${workers} workers`, async () => {
    using folder = new TestFolder();
    const names = await damagedStore(folder);
    const told: string[] = [];
    const onMend = (name: string): void => void told.push(name);
    const store = await openFileStore(folder.at("store"));
    const options = { hasher: wasmHasher, onMend };
    await using snapshots = await openSnapshots(store, options);
    const [record] = await snapshots.records();
    for (const target of ["first", "second"]) {
      const { errors } = await restore(snapshots, record, folder.at(target), {
        workers,
      });
      deepEqual(errors, []);
      deepEqual(
        describeTree(folder.at(target)),
        describeTree(folder.at("source")),
      );
    }
    const view = await View.open(snapshots, record);
    const entry = await view.lookup(new TextEncoder().encode("3/30"));
    const content = new TextDecoder().decode(await view.read(entry!));
    match(content, /^content 30$/);
    deepEqual(told, names);
  });
}

Deno.test("what is read beside a damaged index needs nobody who is told", async () => {
  using folder = new TestFolder();
  const names = await damagedStore(folder);
  equal(names.length, 1);
  const store = await openFileStore(folder.at("store"));
  await using snapshots = await openSnapshots(store, { hasher: wasmHasher });
  const [record] = await snapshots.records();
  ok(record);
  ok(await View.open(snapshots, record));
});
