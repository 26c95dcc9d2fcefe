// Saves whose store fails, at every call and in every way: an error, no record,
// nothing left behind, and the next save is whole.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { save } from "@snap/save";
import { StoreError, type WriteStore } from "@snap/store";
import type { FileStore } from "@snap/store/file";
import { type Fault, FaultStore } from "@snap/store/testing";
import { makeSource, recordCount, saveInto } from "./_faults.ts";
import { LATER, saveAndCompare } from "./_saves.ts";
import {
  leftovers,
  makeFileStore,
  noise,
  open,
  readEverything,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "./_snapshots.ts";

/** Whatever fails, what is in the store is whole, and nothing lies about. */
async function checkAfter(store: FileStore, source: string): Promise<void> {
  deepEqual(leftovers(store), []);
  await using snapshots = await open(store);
  await readEverything(snapshots);
  await saveAndCompare(snapshots, source, LATER);
  deepEqual(leftovers(store), []);
}

interface Round {
  readonly workers: number;
  readonly faults: readonly Fault[];
  /** Whether there is a snapshot already, and one file is new. */
  readonly isSecond: boolean;
  /** Room for claims; without it, for all. */
  readonly claimSlots?: number;
}

const ROUNDS: readonly Round[] = [
  { workers: 0, faults: ["error", "full", "gone", "lost"], isSecond: false },
  { workers: 0, faults: ["gone", "lost"], isSecond: true },
  { workers: 2, faults: ["error"], isSecond: false },
  { workers: 2, faults: ["gone"], isSecond: false, claimSlots: 256 },
];

for (const round of ROUNDS) {
  const { workers, faults, isSecond, claimSlots = 2 ** 16 } = round;
  const title = `${faults.join(", ")}; ${workers} workers, ${
    isSecond ? "second" : "first"
  } save, ${claimSlots} claims`;
  Deno.test(`save survives every call of the store that fails: ${title}`, async () => {
    using folder = new TemporaryFolder();
    const source = folder.join("source");
    makeSource(source);
    let failed = 0;
    for (const fault of faults) {
      for (let call = 1;; call++) {
        const path = folder.join("store");
        const store = await makeFileStore(path, SMALL_SETTINGS);
        if (isSecond) {
          await using snapshots = await open(store);
          await save(snapshots, source, LATER);
          writeFileSync(join(source, "new"), noise(5000, call + 1000));
        }
        const before = await recordCount(store);
        const faulty = new FaultStore(store, { at: [{ call, fault }] });
        let recordCall = Infinity;
        const create = store.create.bind(store);
        store.create = (name, ...rest) => {
          if (name.startsWith("snapshots/")) recordCall = faulty.calls;
          return create(name, ...rest);
        };
        const error = await saveInto(faulty, source, {
          ...LATER,
          workers,
          claimSlots,
        });
        if (error !== undefined) {
          failed++;
          ok(error instanceof StoreError, `${fault} at ${call}: ${error}`);
          // An answer that was lost: the record may be there.
          const count = recordCall < call ? before + 1 : before;
          if (fault !== "lost") equal(await recordCount(store), count);
        }
        const isDone = faulty.calls < call;
        await checkAfter(store, source);
        rmSync(path, { recursive: true });
        if (isDone) break;
      }
    }
    ok(failed >= 5 * faults.length, `${failed} saves failed`);
  });
}

/** A store in which some thread cannot write its packs, as a file of such a name is there. */
function withBadSpool(store: FileStore, file: string): WriteStore {
  return {
    read: store.read.bind(store),
    size: store.size.bind(store),
    list: store.list.bind(store),
    localPath: store.localPath.bind(store),
    create: store.create.bind(store),
    adopt: store.adopt.bind(store),
    sync: store.sync.bind(store),
    spoolPath: async (saveId) => {
      const path = await store.spoolPath(saveId);
      writeFileSync(`${path}-${file}-0`, "");
      return path;
    },
  };
}

// The files are those of the workers, of the thread that walks, and of the trees. Which thread
// reads a small file is a matter of time where there are two workers.
for (
  const [what, workers, files] of [
    ["many small files", 1, ["sink1-data", "sink0-data", "sink0-trees"]],
    ["one large file", 2, [
      "sink1-data",
      "sink2-data",
      "sink0-data",
      "sink0-trees",
    ]],
  ] as const
) {
  for (const bad of files) {
    Deno.test(`save fails with a worker that fails: ${what}, file ${bad}`, async () => {
      using folder = new TemporaryFolder();
      const source = folder.join("source");
      mkdirSync(source);
      if (what === "one large file") {
        writeFileSync(join(source, "large"), noise(36_000_000, 1));
      } else makeSource(source);
      const store = await makeFileStore(folder.join("store"));
      await using snapshots = await open(withBadSpool(store, bad));
      const saving = save(snapshots, source, { workers });
      if (bad === "sink0-data") await saving;
      else {
        await rejects(saving, (error) => {
          ok(error instanceof StoreError, String(error));
          equal(error.code, "EEXIST");
          return true;
        });
        equal(await recordCount(store), 0);
      }
      await checkAfter(store, source);
    });
  }
}

Deno.test("save fails with any thread that fails while small files are read", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  mkdirSync(source);
  makeSource(source);
  for (const bad of ["sink1-data", "sink0-data"]) {
    const store = await makeFileStore(folder.join(`store${bad}`));
    await using snapshots = await open(withBadSpool(store, bad));
    const isSaved = await save(snapshots, source, { workers: 2 })
      .then(() => true, () => false);
    equal(await recordCount(store), isSaved ? 1 : 0);
    await checkAfter(store, source);
  }
});

/** A store that is gone once the index is written after so many packs. */
function goneAfterIndex(store: FileStore, packCountMin: number): FaultStore {
  const at: { call: number; fault: Fault }[] = [];
  const faulty = new FaultStore(store, { at });
  const adopt = faulty.adopt.bind(faulty);
  let packCount = 0;
  faulty.adopt = async (name, ...rest) => {
    const isCreated = await adopt(name, ...rest);
    if (name.startsWith("packs/")) packCount++;
    else if (packCount >= packCountMin) {
      at.push({ call: faulty.calls + 1, fault: "gone" });
    }
    return isCreated;
  };
  return faulty;
}

Deno.test("save resumes what another one had indexed when its store was gone", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  mkdirSync(source);
  for (let i = 0; i < 240; i++) {
    writeFileSync(join(source, `${i}`), noise(100_000, i + 1));
  }
  const settings = { ...SMALL_SETTINGS, packSizeTarget: 10 ** 6 };
  const options = { ...LATER, indexByteCount: 10 ** 6 };
  const store = await makeFileStore(folder.join("store"), settings);
  const dying = goneAfterIndex(store, 18);
  ok(await saveInto(dying, source, options) instanceof StoreError);
  equal(await recordCount(store), 0);
  await using snapshots = await open(store);
  const result = await saveAndCompare(snapshots, source, options);
  ok(result.storedByteCount < 0.6 * 24_000_000, `${result.storedByteCount}`);
});
