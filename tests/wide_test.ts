import { deepEqual, equal } from "node:assert/strict";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DiskError } from "@snap/disk";
import { FileReader } from "@snap/disk/file";
import { identify } from "@snap/save/identify";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { save } from "@snap/save";
import {
  makeSnapshots,
  readDisk,
  readSnapshot,
  sameEntries,
  TemporaryFolder,
} from "./_snapshots.ts";
import { LATER, saveAndCompare } from "./_saves.ts";

/** More entries than drafts of trees and pages hold in memory. */
const COUNT = 66_000;

/** Few inodes, many names. */
function makeWide(path: string): void {
  mkdirSync(path);
  const one = join(path, "0");
  writeFileSync(one, "0");
  for (let i = 1; i < COUNT; i++) {
    const name = join(path, `${i}`);
    if (i % 1000 === 1) symlinkSync(`target ${i}`, name);
    else if (i % 1000 === 2) mkdirSync(name);
    else if (i % 1000 === 3) writeFileSync(name, `${i}`);
    else linkSync(one, name);
  }
  writeFileSync(join(path, "1002", "inner"), "inner");
}

Deno.test("a wide directory is saved, and the next save takes from it what is the same", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source"), wide = join(source, "wide");
  mkdirSync(source);
  makeWide(wide);
  await using snapshots = await makeSnapshots(folder.join("store"));
  const options = { ...LATER, workers: 2 };
  const first = await save(snapshots, source, options);
  equal(first.totals.entryCount, COUNT + 2);
  const named = await identify(source, { hasher: wasmHasher });
  deepEqual([named.id, named.page], [first.id, first.record!.page]);

  const same = await save(snapshots, source, options);
  deepEqual([same.progress.readFileCount, same.isNewRecord], [0, false]);
  deepEqual(same.totals, first.totals);

  writeFileSync(join(wide, "5003"), "other");
  writeFileSync(join(wide, "5003 and a half"), "new");
  writeFileSync(join(wide, "1002", "inner"), "other");
  chmodSync(join(wide, "9003"), 0o700);
  for (const name of ["7003", "8001"]) rmSync(join(wide, name));
  const other = await saveAndCompare(snapshots, source, options);
  equal(other.progress.readFileCount, 4);
});

Deno.test("a wide directory leaves out what cannot be read", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeWide(source);
  await using snapshots = await makeSnapshots(folder.join("store"));
  const open = FileReader.prototype.open;
  FileReader.prototype.open = function (directory, name, uid): void {
    if (name.length > 1 && name.at(-1) === 0x37) {
      throw new DiskError("open", name, "EACCES");
    }
    open.call(this, directory, name, uid);
  };
  try {
    const { record, errorCount } = await save(snapshots, source, LATER);
    equal(errorCount, COUNT / 10 - 1);
    const expected = readDisk(source);
    for (const name of [...expected.keys()]) {
      if (/^\d+7$/.test(name)) expected.delete(name);
    }
    sameEntries(await readSnapshot(snapshots, record!), expected);
  } finally {
    FileReader.prototype.open = open;
  }
});
