import { equal } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { DiskError } from "@snap/disk";
import { FileReader } from "@snap/disk/file";
import { makeMemorySnapshots, TemporaryFolder } from "../tests/_snapshots.ts";
import { save } from "./save.ts";

Deno.test("SavePipeline keeps the first files that could not be read, and counts all", async () => {
  using folder = new TemporaryFolder();
  const count = 10_100;
  for (let i = 0; i < count; i++) {
    if (i % 1000 === 0) mkdirSync(folder.join(`d${i / 1000}`));
    writeFileSync(folder.join(`d${Math.floor(i / 1000)}`, `${i}`), "");
  }
  await using snapshots = await makeMemorySnapshots();
  const open = FileReader.prototype.open;
  FileReader.prototype.open = (_directory, name) => {
    throw new DiskError("open", name, "EACCES");
  };
  try {
    const result = await save(snapshots, folder.path);
    equal(result.errors.length, 10_000);
    equal(result.errorCount, count);
    equal(result.record.unreadable.count, count);
    equal(result.record.unreadable.first.length, 20);
  } finally {
    FileReader.prototype.open = open;
  }
});
