import { deepEqual, equal } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { AttributePage, Tree } from "@snap/manifest";
import { openSource } from "@snap/disk/source";
import { idToBytes } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import {
  STAT_CTIME_NS,
  STAT_CTIME_SEC,
  STAT_GID,
  STAT_INODE_HIGH,
  STAT_INODE_LOW,
  STAT_MODE,
  STAT_MTIME_NS,
  STAT_MTIME_SEC,
  STAT_NLINK,
  STAT_ROW_F64,
  STAT_ROW_U32,
  STAT_SIZE,
  STAT_UID,
  type StatTable,
} from "@snap/posix/stat-table";
import {
  makeMemorySnapshots,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { PreviousDirectory } from "./previous_directory.ts";
import { save } from "../save.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const LATE = { sec: 2 ** 40, ns: 0 };

/** A directory as it was saved, and as it is now. */
async function savedDirectory(
  folder: TemporaryFolder,
): Promise<{ previous: () => PreviousDirectory; stats: StatTable }> {
  for (const name of ["b", "d"]) mkdirSync(folder.join(name));
  for (const name of ["a", "c", "e"]) writeFileSync(folder.join(name), name);
  await using snapshots = await makeMemorySnapshots();
  const { record } = await save(snapshots, folder.path);
  const reader = await snapshots.reader();
  const ids = new Uint8Array(64);
  ids.set(idToBytes(record.tree));
  ids.set(idToBytes(record.page), 32);
  const { tree, attributes } = ObjectKind;
  const treeBytes = await reader.readObject(ids.subarray(0, 32), tree);
  const pageBytes = await reader.readObject(ids.subarray(32), attributes);
  using source = openSource(folder.path);
  using root = source.root();
  return {
    previous: () =>
      new PreviousDirectory(
        ids,
        Tree.decode(treeBytes),
        AttributePage.decode(pageBytes),
      ),
    stats: root.stats,
  };
}

Deno.test("PreviousDirectory finds names in order, and numbers sub-directories", async () => {
  using folder = new TemporaryFolder();
  const { previous } = await savedDirectory(folder);
  const seek = (directory: PreviousDirectory, name: string): number =>
    directory.seek(encode(name), 0, name.length);
  const all = previous();
  deepEqual(["a", "b", "c", "d", "e"].map((name) => seek(all, name)), [
    0,
    1,
    2,
    3,
    4,
  ]);
  const some = previous();
  deepEqual(["A", "a0", "b"].map((name) => seek(some, name)), [-1, -1, 1]);
  equal(some.directoryNumber, 0);
  equal(seek(some, "d"), 3);
  equal(some.directoryNumber, 1);
  deepEqual(["dd", "z", "zz"].map((name) => seek(some, name)), [-1, -1, -1]);
  equal(previous().seek(encode("xxdyy"), 2, 3), 3, "a name within other bytes");
});

const COLUMNS: Record<string, [column: number, isF64: boolean]> = {
  size: [STAT_SIZE, true],
  mtimeSec: [STAT_MTIME_SEC, true],
  mtimeNs: [STAT_MTIME_NS, false],
  ctimeSec: [STAT_CTIME_SEC, true],
  ctimeNs: [STAT_CTIME_NS, false],
  inodeLow: [STAT_INODE_LOW, false],
  inodeHigh: [STAT_INODE_HIGH, false],
  mode: [STAT_MODE, false],
  nlink: [STAT_NLINK, false],
  uid: [STAT_UID, false],
  gid: [STAT_GID, false],
};

/** Adds one to a column of a row. */
function change(stats: StatTable, row: number, column: string): void {
  const [number, isF64] = COLUMNS[column];
  if (isF64) stats.f64[row * STAT_ROW_F64 + number]++;
  else stats.u32[row * STAT_ROW_U32 + number]++;
}

Deno.test("PreviousDirectory sees every number that makes a file another", async () => {
  using folder = new TemporaryFolder();
  const { previous, stats } = await savedDirectory(folder);
  const directory = previous();
  equal(directory.isContentUnchanged(0, stats, 0, LATE), true);
  const content = ["size", "mtimeSec", "mtimeNs", "ctimeSec", "ctimeNs"];
  for (const column of [...content, "inodeLow", "inodeHigh"]) {
    const copy = structuredClone(stats.buffer);
    change(stats, 0, column);
    equal(directory.isContentUnchanged(0, stats, 0, LATE), false, column);
    stats.u32.set(new Uint32Array(copy));
  }
  equal(directory.isContentUnchanged(0, stats, 0, LATE), true);
  equal(directory.isContentUnchanged(1, stats, 1, LATE), false, "a directory");
});

Deno.test("PreviousDirectory believes no time from the moment on", async () => {
  using folder = new TemporaryFolder();
  const { previous, stats } = await savedDirectory(folder);
  const directory = previous();
  const sec = stats.ctimeSec(0), ns = stats.ctimeNs(0);
  equal(directory.isContentUnchanged(0, stats, 0, { sec, ns }), false);
  const after = { sec: sec + 1, ns: 0 };
  equal(directory.isContentUnchanged(0, stats, 0, after), true);
});

Deno.test("PreviousDirectory sees every number that makes an attribute row another", async () => {
  using folder = new TemporaryFolder();
  const { previous, stats } = await savedDirectory(folder);
  const directory = previous();
  equal(directory.isRowUnchanged(1, stats, 0, 0), true);
  equal(directory.isRowUnchanged(1, stats, 0, 1), false, "device");
  for (const column of Object.keys(COLUMNS)) {
    if (column === "size") continue;
    const copy = structuredClone(stats.buffer);
    change(stats, 0, column);
    equal(directory.isRowUnchanged(1, stats, 0, 0), false, column);
    stats.u32.set(new Uint32Array(copy));
  }
});
