import { equal } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { makeFileStore, open, TemporaryFolder } from "../tests/_snapshots.ts";
import { restore } from "./restore.ts";
import { save } from "@snap/save";
import { WorkerCount } from "../tests/_test_workers.ts";

Deno.test("WorkerPool of a restore does without the last of several workers", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  Deno.mkdirSync(source);
  const file = new Uint8Array(1 << 20);
  for (let i = 0; i < 40; i++) {
    crypto.getRandomValues(file.subarray(0, 100));
    writeFileSync(`${source}/${i}`, file);
  }
  const store = await makeFileStore(folder.join("store"));
  await using snapshots = await open(store);
  const { record } = await save(snapshots, source);
  for (const [workers, wanted] of [[0, 0], [1, 1], [2, 1], [3, 2]]) {
    using started = new WorkerCount();
    const target = folder.join(`${workers}`);
    const result = await restore(snapshots, record, target, { workers });
    equal(started.count, wanted);
    equal(result.writtenFileCount, 40);
    for (let i = 0; i < 40; i++) {
      const wanted = readFileSync(`${source}/${i}`);
      equal(wanted.compare(readFileSync(`${target}/${i}`)), 0);
    }
  }
});
