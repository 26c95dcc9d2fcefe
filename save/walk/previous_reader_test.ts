import { deepEqual, equal, notEqual, rejects } from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { FileReader } from "@snap/disk/file";
import { FaultStore } from "@snap/store/testing";
import {
  LATER,
  makeTree,
  restoreAndCompare,
  saveAndCompare,
} from "../../tests/_saves.ts";
import {
  leftovers,
  makeFileStore,
  makeMemorySnapshots,
  namesIn,
  noise,
  open,
  readDisk,
  readEverything,
  readSnapshot,
  sameEntries,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { encodeRecord, formatRecordName } from "@snap/snapshot/records";
import { save } from "../save.ts";

Deno.test("save keeps two records of one tree, each with its own times", async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("file"), "content");
  await using snapshots = await makeMemorySnapshots();
  utimesSync(folder.join("file"), 1000, 1000);
  const before = readDisk(folder.path);
  const first = await save(snapshots, folder.path, { message: "one" });
  utimesSync(folder.join("file"), 2000, 2000);
  chmodSync(folder.join("file"), 0o600);
  const second = await saveAndCompare(snapshots, folder.path);
  equal(first.id, second.id);
  equal(second.isNewRecord, true);
  equal(second.hasNewAttributesOnly, true);
  notEqual(first.record!.record, second.record!.record);
  equal((await snapshots.records()).length, 2);
  sameEntries(await readSnapshot(snapshots, first.record!), before);
  await restoreAndCompare(snapshots, first.record!, before);
  await restoreAndCompare(snapshots, second.record!, readDisk(folder.path));
});

Deno.test("save with nothing changed reads no file and writes nothing but a lease", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeTree(source);
  const store = await makeFileStore(folder.join("store"));
  const counted = new FaultStore(store);
  await using snapshots = await open(counted);
  const first = await save(snapshots, source, LATER);
  const names = await namesIn(store);
  const creates = counted.count("create"), adopts = counted.count("adopt");
  const original = FileReader.prototype.open;
  FileReader.prototype.open = () => {
    throw new Error("No file is to be opened");
  };
  try {
    const second = await save(snapshots, source, LATER);
    equal(second.id, first.id);
    equal(second.isNewRecord, false);
    equal(second.record!.record, first.record!.record);
    equal(second.storedByteCount, 0);
    equal(second.progress.readFileCount, 0);
    deepEqual(second.totals, first.totals);
  } finally {
    FileReader.prototype.open = original;
  }
  deepEqual(await namesIn(store), names);
  // The lease, which is over and gone.
  equal(counted.count("create"), creates + 1);
  equal(counted.count("adopt"), adopts);
  deepEqual(leftovers(store), []);
});

Deno.test("save writes a record again if the message is another", async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("file"), "content");
  await using snapshots = await makeMemorySnapshots();
  await save(snapshots, folder.path, { ...LATER, message: "one" });
  const second = await save(snapshots, folder.path, {
    ...LATER,
    message: "two",
  });
  equal(second.isNewRecord, true);
  const third = await save(snapshots, folder.path, {
    ...LATER,
    host: "other",
    message: "two",
  });
  equal(third.isNewRecord, true);
  const fourth = await save(snapshots, folder.path, {
    ...LATER,
    message: "two",
  });
  equal(fourth.isNewRecord, false);
  equal((await snapshots.records()).length, 3);
});

Deno.test("save reads files again that are too young to be believed", async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("file"), noise(4 * 1024 * 1024, 1));
  await using snapshots = await makeMemorySnapshots();
  await save(snapshots, folder.path);
  const second = await save(snapshots, folder.path, LATER);
  equal(second.progress.readFileCount, 1, "as old as the first save");
  // Its record says the same but for the times, by which the file is old now.
  equal(second.isNewRecord, true);
  const third = await save(snapshots, folder.path, LATER);
  equal(third.progress.readFileCount, 0, "older than the second save");
  equal(third.isNewRecord, false);
});

Deno.test("save never believes times in the future", async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("file"), "content");
  utimesSync(folder.join("file"), 2 ** 33, 2 ** 33);
  await using snapshots = await makeMemorySnapshots();
  await save(snapshots, folder.path, LATER);
  const second = await save(snapshots, folder.path, LATER);
  equal(second.progress.readFileCount, 1);
});

Deno.test("save finds new content of the same size and modification time", async () => {
  using folder = new TemporaryFolder();
  const path = folder.join("file");
  writeFileSync(path, "content");
  utimesSync(path, 1000, 1000);
  await using snapshots = await makeMemorySnapshots();
  await save(snapshots, folder.path);
  writeFileSync(path, "CONTENT");
  utimesSync(path, 1000, 1000);
  const second = await saveAndCompare(snapshots, folder.path, LATER);
  equal(second.progress.readFileCount, 1);
  equal(second.isNewRecord, true);
});

for (const workers of [0, 2]) {
  Deno.test(`save reads what has changed and nothing else: ${workers} workers`, async () => {
    using folder = new TemporaryFolder();
    for (let i = 0; i < 12; i++) {
      mkdirSync(folder.join(`d${i}`, "sub"), { recursive: true });
      for (let k = 0; k < 60; k++) {
        writeFileSync(folder.join(`d${i}`, "sub", `${k}`), `${i} ${k}`);
      }
    }
    await using snapshots = await makeMemorySnapshots();
    const first = await saveAndCompare(snapshots, folder.path, {
      ...LATER,
      workers,
    });
    equal(first.progress.readFileCount, 720);

    writeFileSync(folder.join("d3", "sub", "7"), "another");
    const second = await saveAndCompare(snapshots, folder.path, {
      ...LATER,
      workers,
    });
    equal(second.progress.readFileCount, 1);
    equal(second.progress.newObjectCount, 1);

    renameSync(folder.join("d5"), folder.join("renamed"));
    const third = await saveAndCompare(snapshots, folder.path, {
      ...LATER,
      workers,
    });
    // Below a new name everything is read again, and found to be known.
    equal(third.progress.newObjectCount, 0);
    equal(third.progress.readFileCount, 60);

    chmodSync(folder.join("d1", "sub", "1"), 0o600);
    const fourth = await saveAndCompare(snapshots, folder.path, {
      ...LATER,
      workers,
    });
    equal(fourth.id, third.id);
    equal(fourth.hasNewAttributesOnly, true);
    equal(fourth.progress.newByteCount, 0);

    rmSync(folder.join("d2"), { recursive: true });
    writeFileSync(folder.join("d1", "sub", "new"), "0 0");
    const fifth = await saveAndCompare(snapshots, folder.path, {
      ...LATER,
      workers,
    });
    equal(fifth.progress.newObjectCount, 0);
    equal(await readEverything(snapshots), 5);
  });
}

Deno.test("save finds an entry whose kind has changed", async () => {
  using folder = new TemporaryFolder();
  await using snapshots = await makeMemorySnapshots();
  const path = folder.join("entry");
  const steps: (() => void)[] = [
    () => writeFileSync(path, "file"),
    () => chmodSync(path, 0o755),
    () => (rmSync(path), mkdirSync(path)),
    () => writeFileSync(join(path, "inner"), "inner"),
    () => (rmSync(path, { recursive: true }), symlinkSync("a", path)),
    () => (rmSync(path), symlinkSync("b", path)),
    () => rmSync(path),
  ];
  for (const step of steps) {
    step();
    await saveAndCompare(snapshots, folder.path, LATER);
  }
  equal((await snapshots.records()).length, steps.length);
});

Deno.test("save with readAll reads everything and stores nothing", async () => {
  using folder = new TemporaryFolder();
  makeTree(folder.path);
  await using snapshots = await makeMemorySnapshots();
  const first = await save(snapshots, folder.path, LATER);
  const second = await save(snapshots, folder.path, {
    ...LATER,
    readAll: true,
  });
  equal(second.progress.readFileCount, first.totals.fileCount);
  equal(second.storedByteCount, 0);
  equal(second.isNewRecord, false);
});

Deno.test("save notes the newest tree again after another one", async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("file"), "a");
  await using snapshots = await makeMemorySnapshots();
  const first = await save(snapshots, folder.path, LATER);
  writeFileSync(folder.join("file"), "bb");
  await save(snapshots, folder.path, LATER);
  writeFileSync(folder.join("file"), "a");
  const third = await save(snapshots, folder.path, LATER);
  equal(third.id, first.id);
  equal(third.isNewRecord, true);
  equal((await snapshots.records())[0].tree, first.id);
});

Deno.test("save passes over a record whose time cannot be read", async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("file"), "a");
  await using snapshots = await makeMemorySnapshots();
  const { record } = await save(snapshots, folder.path, LATER);
  const bytes = encodeRecord({ ...record!, startTime: "yesterday" }, {
    saveId: new Uint8Array(16),
    salt: new Uint8Array(32),
  });
  const { tree, writer } = record!;
  const name = { tree, record: snapshots.hasher.idOf(bytes), writer };
  await snapshots.store.create(formatRecordName(name), bytes);
  const damages: string[] = [];
  await save(snapshots, folder.path, {
    ...LATER,
    onDamage: (name) => damages.push(name),
  });
  equal(damages.length, 1);
});

Deno.test("save refuses the store itself, and leaves it out below", async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("file"), "a");
  const store = await makeFileStore(folder.join("store"));
  await using snapshots = await open(store);
  await rejects(save(snapshots, folder.join("store")), RangeError);
  const { totals } = await save(snapshots, folder.path, LATER);
  equal(totals.entryCount, 1);
});
