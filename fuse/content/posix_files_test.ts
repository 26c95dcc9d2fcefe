import { deepEqual, equal, throws } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { NotFoundError, StoreError } from "@snap/store";
import { noise, TemporaryFolder } from "../../tests/_snapshots.ts";
import { FILES_OPEN_MAX } from "@snap/pack/objects";
import { posixRanges } from "./posix_files.ts";

Deno.test("LocalRanges reads ranges of many files, with few of them open", () => {
  using folder = new TemporaryFolder();
  const count = 3 * FILES_OPEN_MAX;
  for (let i = 0; i < count; i++) {
    writeFileSync(folder.join(`f${i}`), noise(1000, i));
  }
  using ranges = posixRanges(`${folder.path}/`);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < count; i++) {
      deepEqual(
        ranges.take(`f${i}`, i, 500),
        noise(1000, i).subarray(i, i + 500),
      );
    }
  }
  equal(openBelow(folder.path), FILES_OPEN_MAX);
  deepEqual(ranges.wanted, []);
  ranges.forgetWanted();
});

/** How many files below a folder this process has open; other tests open others meanwhile. */
function openBelow(path: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${path}/`);
    } catch {
      return false; // Closed by now.
    }
  }).length;
}

Deno.test("LocalRanges reads ranges above its room", () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("large"), noise(3_000_000, 1));
  using ranges = posixRanges(`${folder.path}/`);
  deepEqual(ranges.take("large", 0, 3_000_000), noise(3_000_000, 1));
});

Deno.test("LocalRanges tells what is absent from what is short or fails", () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("short"), "12345");
  mkdirSync(folder.join("folder"));
  execFileSync("mkfifo", [folder.join("fifo")]);
  using ranges = posixRanges(`${folder.path}/`);
  throws(() => ranges.take("none", 0, 1), NotFoundError);
  const code = (wanted: string) => (error: unknown) =>
    error instanceof StoreError && error.code === wanted;
  throws(() => ranges.take("short", 2, 4), code("SHORT"));
  throws(() => ranges.take("folder", 0, 4), code("EISDIR"));
  throws(() => ranges.take("short/below", 0, 4), code("ENOTDIR"));
  throws(() => ranges.take("fifo", 0, 4), code("ESPIPE"));
  equal(ranges.take("short", 1, 3).length, 3);
});
