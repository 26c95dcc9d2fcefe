// The reader in another language, which knows nothing but docs/FORMAT.md.
import { deepEqual, equal, match } from "node:assert/strict";
import {
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ROOT } from "../_tools/workspace.ts";
import { restore } from "@snap/restore";
import { save } from "@snap/save";
import {
  formatRecordName,
  type NamedRecord,
  tagSnapshot,
} from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";
import { verify } from "@snap/snapshot/verify";
import { openFileStore } from "@snap/store/file";
import { encodeDocument, TagStore } from "@snap/store/format";
import {
  describeGolden,
  folderWithXattrs,
  GOLDEN_NAMES,
  GOLDEN_TAG,
  GOLDEN_TIME,
  goldenFolder,
  goldenVersions,
  isFull,
  portableLines,
} from "./_golden.ts";
import {
  makeMemorySnapshots,
  makeSnapshots,
  noise,
  open,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "./_snapshots.ts";

interface Outcome {
  readonly code: number;
  readonly lines: string[];
  readonly error: string;
}

/** Runs the reader. */
async function read(...args: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command("python3", {
    args: [join(ROOT, "docs/reader.py"), ...args],
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    lines: decoder.decode(stdout).trimEnd().split("\n"),
    error: decoder.decode(stderr),
  };
}

/** Extracts a record with both, and compares all that a save sees in what they made. */
async function compare(
  snapshots: Snapshots,
  record: NamedRecord,
  store: string,
  folder: TemporaryFolder,
): Promise<void> {
  const [theirs, ours] = ["theirs", "ours"].map((name) =>
    folder.join(`${name}-${record.record}`)
  );
  const { code, error } = await read(store, record.record, theirs);
  equal(error, "");
  equal(code, 0);
  await restore(snapshots, record, ours);
  const [found, wanted] = await Promise.all([theirs, ours].map(describe));
  deepEqual(found, wanted);
  equal(found.tree, record.tree);
  deepEqual(found.totals, record.totals);
  const { lines } = await read(store, record.record);
  equal(lines.length, record.totals.entryCount);
}

/** Saves a directory, and says what of it is the same on every disk. */
async function describe(path: string) {
  await using snapshots = await makeMemorySnapshots();
  const { record } = await save(snapshots, path, { workers: 0 });
  const { tree, totals } = record;
  return {
    tree,
    totals,
    lines: portableLines(await describeGolden(snapshots), 0),
  };
}

for (const version of goldenVersions()) {
  for (const name of GOLDEN_NAMES) {
    Deno.test({
      name: `reader.py extracts the records of ${version}/${name}`,
      ignore: !isFull(),
      async fn() {
        using folder = folderWithXattrs()!;
        const store = join(goldenFolder(version), name);
        await using snapshots = await open(await openFileStore(store));
        const records = await snapshots.records();
        const { lines } = await read(store);
        deepEqual(
          lines.map((line) => line.split(" ").slice(0, 3)),
          records.map(({ record, tree, time }) => [record, tree, time])
            .reverse(),
        );
        for (const record of records) {
          await compare(snapshots, record, store, folder);
        }
        const byTag = await read(store, GOLDEN_TAG);
        deepEqual(byTag, await read(store, records[0].record));
      },
    });
  }
}

/** Makes what goes through LZ4, recipes of several levels, and trees that are cut. */
function makeSource(path: string): void {
  mkdirSync(join(path, "wide"), { recursive: true });
  for (let i = 0; i < 200; i++) {
    writeFileSync(join(path, "wide", `number ${i}`), `${i % 7}`.repeat(i));
  }
  linkSync(join(path, "wide/number 9"), join(path, "same"));
  writeFileSync(join(path, "large"), noise(600_000, 3));
  writeFileSync(join(path, "sparse"), noise(5000, 4));
  truncateSync(join(path, "sparse"), 1 << 20);
}

Deno.test("reader.py reads LZ4, cut trees, recipes of two levels and hard links", async () => {
  using folder = new TemporaryFolder();
  const [source, store] = [folder.join("source"), folder.join("store")];
  makeSource(source);
  await using snapshots = await makeSnapshots(store, SMALL_SETTINGS);
  const { record } = await save(snapshots, source);
  await compare(snapshots, record, store, folder);
});

Deno.test("reader.py takes the head of a tag, a record once, and none that is void", async () => {
  using folder = new TemporaryFolder();
  const [source, path] = [folder.join("source"), folder.join("store")];
  mkdirSync(source);
  await using snapshots = await makeSnapshots(path);
  const { store } = snapshots;
  const saved: NamedRecord[] = [];
  for (const name of ["a", "b", "c"]) {
    writeFileSync(join(source, name), name);
    const now = () => GOLDEN_TIME + 1000 * saved.length;
    saved.push((await save(snapshots, source, { now })).record);
  }
  const [one, two, three] = saved;
  for (const record of [one, two]) await tagSnapshot(snapshots, "main", record);
  const { tree, record, saveId } = three;
  const time = "2001-01-01T00:00:00.000000000Z";
  const entry = { time, tree, record, saveId, nonce: "00".repeat(16) };
  equal(await new TagStore(store).copy("main", [entry]), 1);
  const bytes = await store.read(formatRecordName(two));
  const copied = { ...two, writer: "ab".repeat(16) };
  await store.create(formatRecordName(copied), bytes);
  for (const { writer } of [two, three]) {
    const mark = encodeDocument({
      kind: "GCLG",
      saveId: new Uint8Array(16),
      body: { round: 1 },
    });
    await store.create(`gc/void/${writer}`, mark);
  }
  const { lines } = await read(path);
  const ids = [one, two].map(({ record }) => record);
  deepEqual(lines.map((line) => line.split(" ")[0]), ids);
  const listed = (await snapshots.records()).map(({ record }) => record);
  deepEqual(listed.reverse(), ids);
  deepEqual(await read(path, "main"), await read(path, two.record));
  equal((await read(path, three.record)).code, 1);
  const { damages } = await verify(snapshots);
  // What a tag named before may be gone; marks and copies are no damage.
  deepEqual(damages, []);
});

Deno.test("reader.py refuses a store with a damaged pack", async () => {
  using folder = new TemporaryFolder();
  const store = folder.join("store");
  cpSync(join(goldenFolder(goldenVersions()[0]), "none"), store, {
    recursive: true,
  });
  for (const name of readdirSync(join(store, "packs"), { recursive: true })) {
    const path = join(store, "packs", name as string);
    if (!/[0-9a-f]{64}$/.test(path)) continue;
    const bytes = readFileSync(path);
    bytes[80] ^= 1;
    writeFileSync(path, bytes);
  }
  const { code, error } = await read(store, GOLDEN_TAG, folder.join("out"));
  equal(code, 1);
  match(error, /Cannot read store as .* has to match the sum of a frame/);
});
