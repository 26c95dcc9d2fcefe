import { equal } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { makeMemorySnapshots, TemporaryFolder } from "../tests/_snapshots.ts";
import { save } from "./save.ts";
import { WorkerCount } from "../tests/_test_workers.ts";

/** Saves a folder of 1,000 small files and one more; gives how many workers were started. */
async function workersFor(size: number, workers: number): Promise<number> {
  using folder = new TemporaryFolder();
  for (let i = 0; i < 1000; i++) writeFileSync(folder.join(`${i}`), `${i}`);
  writeFileSync(folder.join("last"), new Uint8Array(size));
  await using snapshots = await makeMemorySnapshots();
  using started = new WorkerCount();
  const { totals } = await save(snapshots, folder.path, { workers });
  equal(totals.fileCount, 1001);
  return started.count;
}

Deno.test("WorkerPool of a save starts the last of several workers for a large file only", async () => {
  equal(await workersFor(1, 1), 1);
  equal(await workersFor(1, 2), 1);
  equal(await workersFor(1, 3), 2);
  equal(await workersFor(32 * 1024 * 1024, 2), 2);
});
