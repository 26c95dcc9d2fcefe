import { deepEqual, equal, ok } from "node:assert/strict";
import { utimesSync, writeFileSync } from "node:fs";
import { DiskError } from "@snap/disk";
import { FileReader } from "@snap/disk/file";
import { openSource } from "@snap/disk/source";
import { idToBytes } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { ObjectKind } from "@snap/pack";
import {
  ClaimTable,
  type EncodedNode,
  type FinishedPackFile,
  ObjectSink,
} from "@snap/pack/sink";
import { PackTable } from "@snap/pack/write";
import { runAtOnce } from "@snap/posix/pacer";
import { LATER, saveAndCompare } from "../../tests/_saves.ts";
import {
  makeMemorySnapshots,
  noise,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { BatchQueue, type QueuedBatch } from "../walk/batch_queue.ts";
import { BatchReader } from "./batch_reader.ts";
import { LargeFileRing, SEGMENT_SIZE } from "./large_file_ring.ts";
import { fitsRing } from "./large_file_reader.ts";
import { ContentPacker } from "../pack/content_packer.ts";
import { InHand } from "./in_hand.ts";
import { PendingDirectory } from "../walk/pending_directory.ts";
import { type BatchResult, FileStatus } from "../messages.ts";
import { DEFAULT_SETTINGS, type StoreSettings } from "@snap/store/format";

/** What became of one file. */
interface Outcome {
  readonly result: BatchResult;
  readonly recipes: readonly EncodedNode[];
  /** Ids and kinds of all objects in packs. */
  readonly objects: readonly string[];
}

/** Reads the one file of a folder, with a ring or without. */
function readFile(
  folder: TemporaryFolder,
  ring: LargeFileRing | undefined,
  settings: StoreSettings = DEFAULT_SETTINGS,
): Outcome {
  using packs = new TemporaryFolder();
  const finished: FinishedPackFile[] = [];
  const recipes: EncodedNode[] = [];
  const target = {
    addPack: (pack: FinishedPackFile) => void finished.push(pack),
    addRecipe: (nodes: readonly EncodedNode[]) => void recipes.push(...nodes),
  };
  const hasher = wasmHasher;
  using sink = new ObjectSink({
    settings: { ...settings, codec: "none" },
    saveId: new Uint8Array(16),
    spoolPath: packs.join("pack"),
    indexTables: [],
    claims: new ClaimTable(2 ** 16).buffer,
    mode: "new",
  }, {
    hasher,
    random: (size) => crypto.getRandomValues(new Uint8Array(size)),
    target,
  });
  const packer = new ContentPacker(sink, { hasher, target, isNaming: false });
  using reader = new BatchReader(packer, {
    source: new TextEncoder().encode(folder.path),
    inHand: new InHand(),
    stop: new SharedArrayBuffer(4),
  });
  const { batch } = batchOf(folder);
  ring?.reset();
  let result = ring === undefined
    ? runAtOnce(reader.read(batch))
    : reader.readLarge(batch, new LargeFileRing(ring.buffer));
  sink.finish();
  // How far large files are read is told of no others.
  result = { ...result, inHandByteCount: 0 };
  return { result, recipes, objects: finished.flatMap(objectsOf).sort() };
}

function batchOf(folder: TemporaryFolder): QueuedBatch {
  using source = openSource(folder.path);
  using root = source.root();
  const batches: QueuedBatch[] = [];
  const queue = new BatchQueue(Infinity, (batch) => batches.push(batch));
  queue.add(new PendingDirectory(root, undefined, 0), 0);
  queue.flush();
  return batches[0];
}

function objectsOf(pack: FinishedPackFile): string[] {
  const table = PackTable.decode(pack.table, pack);
  return Array.from({ length: table.objectCount }, (_, i) => {
    const id = Buffer.from(table.idBytes(i)).toString("hex");
    return `${id} ${table.kind(i)} ${table.size(i)}`;
  });
}

/** Noise with runs of zeros that begin and end anywhere. */
function withHoles(size: number): Uint8Array {
  const bytes = noise(size, 5);
  for (let at = 70_001, run = 1000; at < size; at += 3 * run, run *= 1.7) {
    bytes.fill(0, at, at + Math.floor(run));
  }
  return bytes;
}

const CONTENTS: Record<string, Uint8Array> = {
  "nothing": new Uint8Array(0),
  "one byte": noise(1, 1),
  "the largest chunk": noise(131_072, 2),
  "a byte more than the largest chunk": noise(131_073, 2),
  "a byte less than a segment": noise(SEGMENT_SIZE - 1, 3),
  "a segment": noise(SEGMENT_SIZE, 3),
  "a byte more than a segment": noise(SEGMENT_SIZE + 1, 3),
  "more than the ring": noise(9 * SEGMENT_SIZE + 12_345, 4),
  "runs of zeros": withHoles(7_000_000),
  "zeros": new Uint8Array(5 * SEGMENT_SIZE + 3),
  "few zeros": new Uint8Array(100_000),
  "what repeats": new Uint8Array(6_000_000).map((_, i) => (i % 200_003) * 7),
};

for (const [name, content] of Object.entries(CONTENTS)) {
  Deno.test(`LargeFileReader makes the recipe that is made without a ring: ${name}`, () => {
    using folder = new TemporaryFolder();
    writeFileSync(folder.join("file"), content);
    const alone = readFile(folder, undefined);
    const ring = readFile(folder, new LargeFileRing());
    deepEqual(ring.result, alone.result);
    deepEqual(ring.recipes, alone.recipes);
    deepEqual(ring.objects, alone.objects);
    equal(alone.result.sizes[0], content.length);
    deepEqual(alone.result.ids, idToBytes(wasmHasher.idOf(content)));
    // With frames of another size, too: they cut nothing.
    const settings = { ...DEFAULT_SETTINGS, largeFrameTarget: 1_000_000 };
    const other = readFile(folder, new LargeFileRing(), settings);
    deepEqual(other.result, alone.result);
    deepEqual(other.objects, alone.objects);
  });
}

Deno.test("LargeFileReader makes several recipes in one ring", () => {
  const ring = new LargeFileRing();
  for (const name of ["more than the ring", "zeros", "runs of zeros"]) {
    using folder = new TemporaryFolder();
    writeFileSync(folder.join("file"), CONTENTS[name]);
    deepEqual(readFile(folder, ring), readFile(folder, undefined));
  }
});

Deno.test("LargeFileReader reads a file again that was touched meanwhile, and keeps its recipe", () => {
  using folder = new TemporaryFolder();
  const path = folder.join("file");
  writeFileSync(path, CONTENTS["more than the ring"]);
  const before = readFile(folder, undefined);
  const original = FileReader.prototype.read;
  let count = 0;
  FileReader.prototype.read = function (out, offset): number {
    if (++count === 2) utimesSync(path, 1, 1);
    return original.call(this, out, offset);
  };
  try {
    const { result, recipes, objects } = readFile(folder, new LargeFileRing());
    ok(count > 12, "read twice");
    deepEqual(result.ids, before.result.ids);
    // The second reading says again what the first one said.
    deepEqual(
      recipes.filter(({ isRoot }) => isRoot),
      [before.recipes.at(-1)],
    );
    deepEqual(objects, before.objects);
  } finally {
    FileReader.prototype.read = original;
  }
});

Deno.test("LargeFileReader whose file fails leaves the ring to the next one", () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("file"), CONTENTS["more than the ring"]);
  const ring = new LargeFileRing();
  const original = FileReader.prototype.read;
  let count = 0;
  FileReader.prototype.read = function (out, offset): number {
    if (++count === 4) throw new DiskError("read", new Uint8Array(0), "EIO");
    return original.call(this, out, offset);
  };
  try {
    const { result } = readFile(folder, ring);
    equal(result.status[0], FileStatus.failed);
    deepEqual(result.errors.map(({ code }) => code), ["EIO"]);
    equal(ring.isStopped, false);
  } finally {
    FileReader.prototype.read = original;
  }
  deepEqual(readFile(folder, ring), readFile(folder, undefined));
});

Deno.test("fitsRing refuses groups that may not fit a segment", () => {
  equal(fitsRing(DEFAULT_SETTINGS), true);
  const half = SEGMENT_SIZE - 2 * DEFAULT_SETTINGS.chunk.sizeMax;
  equal(fitsRing({ ...DEFAULT_SETTINGS, largeFrameTarget: half }), true);
  equal(fitsRing({ ...DEFAULT_SETTINGS, largeFrameTarget: half + 1 }), false);
  equal(fitsRing({ ...DEFAULT_SETTINGS, largeFrameTarget: 1000 }), false);
  const chunk = { ...DEFAULT_SETTINGS.chunk, sizeMin: 2048 };
  equal(fitsRing({ ...DEFAULT_SETTINGS, chunk }), false);
});

Deno.test("save of a large file gives one recipe with any number of workers", async () => {
  using folder = new TemporaryFolder();
  const content = withHoles(40_000_000);
  writeFileSync(folder.join("large"), content);
  const id = idToBytes(wasmHasher.idOf(content));
  const roots: Uint8Array[] = [];
  const counts: [number, number][] = [];
  for (const workers of [0, 1, 2, 3]) {
    await using snapshots = await makeMemorySnapshots();
    const options = { ...LATER, workers };
    const { progress } = await saveAndCompare(snapshots, folder.path, options);
    counts.push([progress.newObjectCount, progress.newByteCount]);
    const reader = await snapshots.reader();
    roots.push((await reader.readStored(id, ObjectKind.recipe))!);
  }
  // The root names all nodes, which name all chunks.
  for (const root of roots) deepEqual(root, roots[0]);
  for (const count of counts) deepEqual(count, counts[0]);
});

Deno.test("save of large files with workers works with frames larger than a segment", async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("large"), noise(36_000_000, 1));
  await using snapshots = await makeMemorySnapshots({
    ...DEFAULT_SETTINGS,
    largeFrameTarget: 3_000_000,
  });
  await saveAndCompare(snapshots, folder.path, { workers: 2 });
});
