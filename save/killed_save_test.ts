import { deepEqual, equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  leftovers,
  makeSnapshots,
  noise,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { LATER } from "../tests/_saves.ts";
import { prune } from "@snap/maintenance/prune";
import { formatRecordName } from "@snap/snapshot/records";
import { save } from "./save.ts";

/** Whether tests lie on a disk of which it is known who has files open. */
function hasOwnDisk(): boolean {
  using folder = new TemporaryFolder();
  return folder.path.startsWith("/dev/shm/");
}

const ignore = !hasOwnDisk();

Deno.test("what a killed save has left is removed by the next", {
  ignore,
}, async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  mkdirSync(source);
  writeFileSync(join(source, "large"), noise(30_000_000, 1));
  const path = folder.join("store");
  await using snapshots = await makeSnapshots(path);
  const { store } = snapshots;
  const child = spawn(Deno.execPath(), [
    "run",
    "-A",
    new URL("./testdata/save_and_hang.ts", import.meta.url).pathname,
    path,
    source,
  ], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  await new Promise((resolve) => child.stdout!.once("data", resolve));
  const during = leftovers(store);
  // It is alive: a save beside it leaves its files alone.
  writeFileSync(join(source, "small"), "small");
  await save(snapshots, join(source), { ...LATER, host: "other" });
  const beside = leftovers(store);
  ok(during.every((name) => beside.includes(name)), `${during}, ${beside}`);
  child.kill("SIGKILL");
  await exited;
  ok(during.some((name) => name.endsWith("-alive")));
  ok(during.length >= 2, `${during}`);
  await save(snapshots, source, LATER);
  // What tells that it was killed stays as long as whoever prunes would wait for it.
  ok(leftovers(store).every((name) => name.endsWith("-alive")));
  mkdirSync(folder.join("other"));
  writeFileSync(folder.join("other", "file"), "of nobody");
  const { record } = await save(snapshots, folder.join("other"), LATER);
  await store.remove(formatRecordName(record!));
  const { removedPackCount, waitingFor } = await prune(snapshots);
  deepEqual(waitingFor, []);
  ok(removedPackCount > 0);
  await save(snapshots, source, LATER);
  deepEqual(leftovers(store), []);
  equal(readFileSync(join(source, "small"), "utf8"), "small");
});
