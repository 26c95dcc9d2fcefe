import { deepStrictEqual, strictEqual } from "node:assert/strict";
import * as fs from "node:fs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { SharedFrameCache } from "@snap/pack/cache";
import { TableList } from "@snap/pack/objects";
import { noise, saveTree, TestFolder } from "../../tests/_test_trees.ts";
import { BatchReader } from "./batch_reader.ts";

const MIDDLE = noise(600_000, 1);
const SMALL = noise(5000, 2);

/** A reader of a store with some files, one of them with a megabyte of zeros in it. */
async function opened(
  folder: TestFolder,
): Promise<{ reader: BatchReader; zeros: Uint8Array }> {
  const zeros = new Uint8Array(1_300_000);
  zeros.set(MIDDLE.subarray(0, 150_000));
  zeros.set(noise(5000, 3), 1_200_000);
  folder.file("source/zeros", zeros);
  folder.file("source/middle", MIDDLE);
  folder.file("source/small", SMALL);
  const { snapshots } = await saveTree(
    folder.at("source"),
    folder.at("store"),
    { codec: "none" },
  );
  const tables = TableList.create();
  tables.add((await snapshots.index()).storedTables);
  await snapshots[Symbol.asyncDispose]();
  const reader = new BatchReader({
    prefix: `${folder.at("store")}/`,
    tables: tables.buffer,
    cache: SharedFrameCache.create({ sizeMax: 4 << 20 }).buffer,
  }, wasmHasher);
  return { reader, zeros };
}

/** Reads runs of contents; gives the rows that could not be read, and all bytes. */
function read(
  reader: BatchReader,
  ...runs: (readonly [content: Uint8Array, offset: number, length: number])[]
): readonly [number[], Uint8Array] {
  const ids = new Uint8Array(32 * runs.length);
  let size = 0;
  for (const [row, [content, , length]] of runs.entries()) {
    wasmHasher.hashInto(content, ids, 32 * row);
    size += length;
  }
  const memory = new SharedArrayBuffer(100 + size);
  new Uint8Array(memory).fill(0xee);
  const failed = reader.read({
    ...{ number: 1, ids, memory, start: 100 },
    sizes: Float64Array.from(runs, ([content]) => content.length),
    offsets: Float64Array.from(runs, ([, offset]) => offset),
    lengths: Uint32Array.from(runs, ([, , length]) => length),
  });
  return [failed, new Uint8Array(memory, 100).slice()];
}

Deno.test("BatchReader reads contents and ranges of them, in any order", async () => {
  using folder = new TestFolder();
  const { reader, zeros } = await opened(folder);
  const runs = [
    [SMALL, 0, SMALL.length],
    [MIDDLE, 0, MIDDLE.length],
    [zeros, 140_000, 1_061_000],
    [zeros, 150_001, 3],
    [MIDDLE, 599_999, 1],
    [SMALL, 17, 4],
    [zeros, 0, zeros.length],
  ] as const;
  const [failed, bytes] = read(reader, ...runs);
  deepStrictEqual(failed, []);
  let at = 0;
  for (const [content, offset, length] of runs) {
    const wanted = content.subarray(offset, offset + length);
    strictEqual(Buffer.compare(bytes.subarray(at, at + length), wanted), 0);
    at += length;
  }
  reader[Symbol.dispose]();
});

Deno.test("BatchReader says which rows are damaged or not there, and reads the others", async () => {
  using folder = new TestFolder();
  const { reader } = await opened(folder);
  const absent = noise(100, 9);
  for (
    const name of fs.readdirSync(folder.at("store/packs"), { recursive: true })
  ) {
    const path = folder.at(`store/packs/${name}`);
    if (!fs.statSync(path).isFile()) continue;
    const pack = fs.readFileSync(path);
    const at = pack.indexOf(SMALL);
    if (at < 0) continue;
    pack[at] ^= 1;
    fs.chmodSync(path, 0o600);
    fs.writeFileSync(path, pack);
  }
  const [failed, bytes] = read(
    reader,
    [SMALL, 0, SMALL.length],
    [MIDDLE, 5, 100],
    [absent, 0, 100],
    [MIDDLE, 0, MIDDLE.length],
  );
  deepStrictEqual(failed, [0, 2]);
  const good = bytes.subarray(SMALL.length, SMALL.length + 100);
  strictEqual(Buffer.compare(good, MIDDLE.subarray(5, 105)), 0);
  const all = bytes.subarray(SMALL.length + 200);
  strictEqual(Buffer.compare(all, MIDDLE), 0);
  reader[Symbol.dispose]();
});
