// What tests of saving share.
import { deepEqual } from "node:assert/strict";
import {
  linkSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { NamedRecord } from "@snap/snapshot/records";
import { restore } from "@snap/restore";
import { save, type SaveOptions, type SaveResult } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import { verify } from "@snap/snapshot/verify";
import type { WriteStore } from "@snap/store";
import {
  type Listing,
  noise,
  readDisk,
  readSnapshot,
  sameEntries,
  TemporaryFolder,
} from "./_snapshots.ts";

/** A clock that stands where every file looks old. */
export const LATER: SaveOptions = { now: () => Date.now() + 60_000 };

/** A directory with one of everything. */
export function makeTree(path: string): void {
  mkdirSync(join(path, "empty"), { recursive: true });
  mkdirSync(join(path, "deep", "er", "est"), { recursive: true });
  writeFileSync(join(path, "deep", "er", "est", "leaf"), "leaf");
  writeFileSync(join(path, "none"), "");
  writeFileSync(join(path, "text"), "some text\n");
  writeFileSync(join(path, "same"), "some text\n");
  writeFileSync(join(path, "run"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(path, "large"), noise(200_000, 1));
  writeFileSync(join(path, "zeros"), new Uint8Array(300_000));
  symlinkSync("text", join(path, "link"));
  symlinkSync("nowhere/at/all", join(path, "dangling"));
  linkSync(join(path, "text"), join(path, "deep", "hard"));
  const bytes = (...parts: number[]): Uint8Array => Uint8Array.from(parts);
  const name = Buffer.concat([
    Buffer.from(`${path}/`),
    bytes(0xff, 0x0a, 0xfe),
  ]);
  writeFileSync(name, "odd name");
  utimesSync(join(path, "text"), 1.5, -3.25);
}

/** Saves, and checks that everything came into the store as it is on the disk. */
export async function saveAndCompare(
  snapshots: Snapshots<WriteStore>,
  path: string,
  options: SaveOptions = {},
): Promise<SaveResult> {
  const result = await save(snapshots, path, options);
  deepEqual(result.errors, []);
  const record = result.record!;
  sameEntries(await readSnapshot(snapshots, record), readDisk(path));
  const report = await verify(snapshots, { records: [record], data: true });
  deepEqual(report.damages, []);
  return result;
}

/** Restores a snapshot, and checks that the disk then holds what is expected. */
export async function restoreAndCompare(
  snapshots: Snapshots<WriteStore>,
  record: NamedRecord,
  expected: Listing,
): Promise<void> {
  using folder = new TemporaryFolder();
  const target = folder.join("target");
  const { errors } = await restore(snapshots, record, target);
  deepEqual(errors, []);
  sameEntries(readDisk(target), expected);
}
