// Holes are passed over, and nobody can tell: same ids, same chunks, same bytes.
import { deepEqual, equal, ok } from "node:assert/strict";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { nativeHasher } from "@snap/hash/native";
import type { Hasher } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { FileReader } from "@snap/disk/file";
import { MemoryStore } from "@snap/store/memory";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  initStore,
} from "@snap/store/format";
import { noise, open, TemporaryFolder } from "../tests/_snapshots.ts";
import { identify } from "./identify.ts";
import { restore } from "@snap/restore";
import { save, type SaveResult } from "./save.ts";
import type { Snapshots } from "@snap/snapshot";
import { verify } from "@snap/snapshot/verify";

const MIB = 1024 * 1024;

/** Where data lies in a file, and how large it is. */
interface Layout {
  readonly size: number;
  readonly data: readonly [offset: number, size: number][];
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  "one hole": { size: 40 * MIB, data: [] },
  "a hole at the start": { size: 40 * MIB + 7, data: [[40 * MIB, 7]] },
  "a hole at the end": { size: 50 * MIB + 1, data: [[0, 300_000]] },
  "islands": {
    size: 60 * MIB + 12_345,
    data: [[0, 1], [3 * MIB - 4096, 5000], [20 * MIB + 8192, 2 * MIB], [
      55 * MIB,
      77,
    ]],
  },
  "zeros before a hole": {
    size: 45 * MIB,
    data: [[0, 100_000], [100_000, -3 * MIB], [44 * MIB, -100]],
  },
};

/** Writes a file that has data in some places; zeros are written there for a negative size. */
function writeSparse(path: string, { size, data }: Layout): void {
  const file = openSync(path, "w");
  ftruncateSync(file, size);
  for (const [offset, length] of data) {
    const bytes = length < 0 ? new Uint8Array(-length) : noise(length, offset);
    writeSync(file, bytes, 0, bytes.length, offset);
  }
  closeSync(file);
}

/** The same bytes without a hole. */
function writeDense(path: string, { size, data }: Layout): void {
  const bytes = new Uint8Array(size);
  for (const [offset, length] of data) {
    if (length > 0) bytes.set(noise(length, offset), offset);
  }
  writeFileSync(path, bytes);
}

async function snapshotsWith(hasher: Hasher): Promise<Snapshots<MemoryStore>> {
  const store = new MemoryStore();
  await initStore(store, formatSettings(DEFAULT_SETTINGS));
  return await open(store, hasher);
}

/** Notes how many bytes are read of files. */
class ReadBytes implements Disposable {
  byteCount = 0;
  readonly #read = FileReader.prototype.read;

  constructor() {
    const read = this.#read;
    const note = (size: number): number => (this.byteCount += size, size);
    FileReader.prototype.read = function (out, offset, enough): number {
      return note(read.call(this, out, offset, enough));
    };
  }

  [Symbol.dispose](): void {
    FileReader.prototype.read = this.#read;
  }
}

for (const [title, layout] of Object.entries(LAYOUTS)) {
  for (
    const [hasher, workers] of [[wasmHasher, 0], [nativeHasher(), 2]] as const
  ) {
    Deno.test(`a sparse file is saved as a dense one is: ${title}, ${workers} workers, ${hasher.name}`, async () => {
      using folder = new TemporaryFolder();
      const results: SaveResult[] = [];
      for (const write of [writeDense, writeSparse]) {
        const path = folder.join(write.name);
        mkdirSync(path);
        write(`${path}/file`, layout);
        await using snapshots = await snapshotsWith(hasher);
        const result = await save(snapshots, path, { workers });
        results.push(result);
        const { damages } = await verify(snapshots, { data: true });
        deepEqual(damages, []);
        const target = folder.join(`${write.name}-back`);
        const restored = await restore(snapshots, result.record, target);
        deepEqual(restored.errors, []);
        const same = new Deno.Command("cmp", {
          args: [`${target}/file`, `${path}/file`],
        }).outputSync();
        equal(same.success, true);
        const again = await restore(snapshots, result.record, target, {
          existing: true,
        });
        deepEqual([again.errors, again.writtenFileCount], [[], 0]);
        const { id } = await identify(path, { hasher, workers });
        equal(id, result.id);
      }
      const [dense, sparse] = results;
      equal(sparse.id, dense.id);
      // The same chunks, so that one deduplicates the other.
      equal(sparse.progress.newObjectCount, dense.progress.newObjectCount);
      equal(sparse.progress.newByteCount, dense.progress.newByteCount);
    });
  }
}

Deno.test("a hole is not read, whatever its size", async () => {
  using folder = new TemporaryFolder();
  writeSparse(folder.join("file"), {
    size: 2 ** 36,
    data: [[0, 1000], [2 ** 35, 1000]],
  });
  await using snapshots = await snapshotsWith(nativeHasher());
  using reads = new ReadBytes();
  const result = await save(snapshots, folder.path);
  equal(result.totals.byteCount, 2 ** 36);
  equal(result.totals.holeCount, 1);
  ok(reads.byteCount < 64 * MIB, `${reads.byteCount} bytes`);
});

Deno.test("a file that shrinks while a hole of it is passed over is stored as last read", async () => {
  using folder = new TemporaryFolder();
  const path = folder.join("file");
  writeSparse(path, { size: 40 * MIB, data: [[0, 5 * MIB]] });
  await using snapshots = await snapshotsWith(wasmHasher);
  const { holeEnd } = FileReader.prototype;
  FileReader.prototype.holeEnd = function (offset, size): number {
    if (offset > 5 * MIB) truncateSync(path, 6 * MIB);
    return holeEnd.call(this, offset, size);
  };
  try {
    const result = await save(snapshots, folder.path);
    equal(result.totals.byteCount, 6 * MIB);
    const target = folder.join("back");
    await restore(snapshots, result.record, target);
    const same = new Deno.Command("cmp", { args: [`${target}/file`, path] })
      .outputSync();
    equal(same.success, true);
  } finally {
    FileReader.prototype.holeEnd = holeEnd;
  }
});
