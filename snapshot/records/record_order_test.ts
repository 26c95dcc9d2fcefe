import { deepEqual, equal, notEqual } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import {
  makeMemorySnapshots,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import type { NamedRecord } from "./record.ts";
import { resolveSnapshot } from "./resolve_snapshot.ts";
import { save, type SaveOptions } from "@snap/save";
import type { Snapshots } from "../snapshots.ts";
import { tagSnapshot } from "./tags.ts";
import type { MemoryStore } from "@snap/store/memory";

const YEAR = 365 * 24 * 3600 * 1000;
/** A clock that stands where every file looks old. */
const NOW = Date.now() + 60_000;
const AHEAD = { now: () => NOW + 9 * YEAR };
const RIGHT = { now: () => NOW };
const BEHIND = { now: () => 0 };

/** Tells what `latest` is. */
async function latest(
  snapshots: Snapshots<MemoryStore>,
  text = "latest",
): Promise<{ record: NamedRecord; told: [count: number, isTaken: boolean][] }> {
  const told: [number, boolean][] = [];
  const record = await resolveSnapshot(snapshots, text, {
    ...RIGHT,
    onLater: (records, isTaken) => told.push([records.length, isTaken]),
  });
  return { record, told };
}

Deno.test("save and latest pass over a record that is later than now, and say so each time", async () => {
  using folder = new TemporaryFolder();
  await using snapshots = await makeMemorySnapshots();
  writeFileSync(folder.join("file"), "one");
  const ahead = await save(snapshots, folder.path, AHEAD);
  deepEqual(await latest(snapshots), {
    record: ahead.record,
    told: [[1, true]],
  });

  const told: string[] = [];
  const options: SaveOptions = {
    ...RIGHT,
    onDamage: (name, error) => told.push(`${name}: ${error}`),
  };
  const first = await save(snapshots, folder.path, options);
  equal(first.isNewRecord, true);
  equal(first.progress.readFileCount, 1);
  deepEqual(await latest(snapshots), {
    record: first.record,
    told: [[1, false]],
  });
  deepEqual((await latest(snapshots, "latest~1")).record, ahead.record);
  deepEqual((await latest(snapshots, first.id)).record, first.record);

  // The unchanged save finds the one before it, reads nothing and writes nothing.
  const second = await save(snapshots, folder.path, options);
  equal(second.isNewRecord, false);
  equal(second.record!.record, first.record!.record);
  equal(second.progress.readFileCount, 0);
  equal(told.length, 2);
  for (const line of told) {
    equal(
      line,
      `record ${ahead.record!.record}: RangeError: its time, ${
        ahead.record!.time
      }, is later than now`,
    );
  }
});

Deno.test("a record of this very moment is not later than now", async () => {
  using folder = new TemporaryFolder();
  await using snapshots = await makeMemorySnapshots();
  writeFileSync(folder.join("file"), "one");
  const { record } = await save(snapshots, folder.path, RIGHT);
  deepEqual(await latest(snapshots), { record, told: [] });
  const later = await save(snapshots, folder.path, {
    message: "later",
    now: () => NOW + 1,
  });
  deepEqual((await latest(snapshots)).record, record);
  notEqual(later.record!.record, record!.record);
});

Deno.test("the log of a tag says which record came last where a clock was behind", async () => {
  using folder = new TemporaryFolder();
  await using snapshots = await makeMemorySnapshots();
  const records: NamedRecord[] = [];
  for (const [i, clock] of [RIGHT, BEHIND, BEHIND].entries()) {
    writeFileSync(folder.join("file"), `content ${i}`);
    const { record, saveId } = await save(snapshots, folder.path, clock);
    records.push(record!);
    await tagSnapshot(snapshots, "main", record!, { saveId });
    await tagSnapshot(snapshots, `once${i}`, record!, { saveId });
  }
  deepEqual((await latest(snapshots)).record, records[2]);
  deepEqual((await latest(snapshots, "latest~1")).record, records[1]);
  deepEqual((await latest(snapshots, "latest~2")).record, records[0]);
  const again = await save(snapshots, folder.path, RIGHT);
  equal(again.id, records[2].tree);
  // The parent was the one that came last, so that nothing new is said.
  equal(again.record!.record, records[2].record);
});

Deno.test("a tag that is moved back says nothing about which record came last", async () => {
  using folder = new TemporaryFolder();
  await using snapshots = await makeMemorySnapshots();
  writeFileSync(folder.join("file"), "one");
  const before = { now: () => NOW - 1000 };
  const one = await save(snapshots, folder.path, before);
  writeFileSync(folder.join("file"), "two");
  const two = await save(snapshots, folder.path, RIGHT);
  await tagSnapshot(snapshots, "main", two.record!, { saveId: two.saveId });
  await tagSnapshot(snapshots, "main", one.record!);
  deepEqual((await latest(snapshots)).record, two.record);
});

Deno.test("a save reads no more of a log than tells which record came last", async () => {
  using folder = new TemporaryFolder();
  await using snapshots = await makeMemorySnapshots();
  const { store } = snapshots;
  const times = [9, 7, 5, 3, 1].map((days) => NOW - days * 24 * 3600_000);
  for (const [i, ms] of times.entries()) {
    writeFileSync(folder.join("file"), `content ${i}`);
    const now = () => ms;
    const { record, saveId } = await save(snapshots, folder.path, { now });
    await tagSnapshot(snapshots, "main", record!, { saveId, now });
    await tagSnapshot(snapshots, "other", record!, { now });
  }
  const reads: string[] = [];
  const read = store.read.bind(store);
  store.read = (name, options) => {
    if (name.startsWith("tags/")) reads.push(name);
    return read(name, options);
  };
  await save(snapshots, folder.path, RIGHT);
  deepEqual(reads.sort(), [
    "tags/main/4",
    "tags/main/5",
    "tags/other/4",
    "tags/other/5",
  ]);
});
