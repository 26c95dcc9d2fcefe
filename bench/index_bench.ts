/**
 * The object index: time to open it, time for a look-up with one read of a page
 * where it is not in the cache, memory:
 * `deno run -A bench/index_bench.ts`, or with `--small` to see that it runs.
 *
 * @module
 */
import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Hasher } from "@snap/hash";
import { nativeHasher } from "@snap/hash/native";
import {
  type BuiltIndex,
  type IndexPack,
  type IndexSink,
  writeIndex,
} from "@snap/pack/index-writer";
import { noneCodec } from "@snap/pack/codecs";
import { openIndexFiles, type ReadAt } from "@snap/pack/index";
import { PackWriter } from "@snap/pack/write";
import { posix } from "@snap/posix";
import { Prng } from "../tests/_prng.ts";

/** How large the index is. */
export interface IndexBenchOptions {
  /** Number of objects. */
  readonly objectCount: number;
  /** Number of look-ups. */
  readonly lookUpCount: number;
}

/** The figures. */
export interface IndexBenchResult {
  /** Size of the table in bytes. */
  readonly size: number;
  /** Milliseconds to write its packs' tables, build it and write it. */
  readonly buildMs: number;
  /** Milliseconds to open it, the median of several. */
  readonly openMs: number;
  /** Microseconds for an object that is there, with a cache of 4 MiB. */
  readonly foundUs: number;
  /** Microseconds for an object that is not there, with a cache of 4 MiB. */
  readonly absentUs: number;
  /** Microseconds for an object that is there, every page in the cache. */
  readonly cachedUs: number;
  /** Reads of pages for a look-up with a cache of 4 MiB. */
  readonly readsPerLookUp: number;
  /** Bytes of heap for an entry once the index is open and was used. */
  readonly heapPerEntry: number;
}

const FULL: IndexBenchOptions = {
  objectCount: 1_000_000,
  lookUpCount: 300_000,
};
const SMALL: IndexBenchOptions = { objectCount: 20_000, lookUpCount: 5_000 };
const OBJECTS_PER_PACK = 5_000;
const OBJECTS_PER_FRAME = 10;
const OBJECT_SIZE = 2_000;

function makePack(ids: Uint8Array, number: number, hasher: Hasher): IndexPack {
  const salt = new Uint8Array(32).fill(number);
  const sink = { write() {} };
  const saveId = new Uint8Array(16);
  const codec = noneCodec;
  const writer = new PackWriter({ sink, role: 1, saveId, salt, codec, hasher });
  const stored = new Uint8Array(16).fill(number);
  const count = OBJECTS_PER_FRAME;
  const plainSize = count * OBJECT_SIZE;
  const offsets = Uint32Array.from(
    { length: count },
    (_, i) => i * OBJECT_SIZE,
  );
  const sizes = new Uint32Array(count).fill(OBJECT_SIZE);
  const kinds = new Uint8Array(count).fill(1);
  for (let row = 0; row < ids.length / 32; row += count) {
    const rows = {
      count,
      ids: ids.subarray(row * 32, (row + count) * 32),
      offsets,
      sizes,
      kinds,
    };
    const frame = { plainSize, codecTag: 2, crc: crc32(stored) };
    writer.addStoredFrame(stored, frame, rows);
  }
  return writer.finish();
}

/** Time of a call for each of many ids, in microseconds. */
function timeOf(ids: Uint8Array, look: (idStart: number) => void): number {
  const start = performance.now();
  for (let at = 0; at < ids.length; at += 32) look(at);
  return (performance.now() - start) * 1000 / (ids.length / 32);
}

/** Ids of objects that are there, in no order. */
function pick(ids: Uint8Array, count: number, random: Prng): Uint8Array {
  const picked = new Uint8Array(count * 32);
  for (let i = 0; i < count; i++) {
    const row = random.below(ids.length / 32);
    picked.set(ids.subarray(row * 32, row * 32 + 32), i * 32);
  }
  return picked;
}

interface IndexFile {
  readonly tables: readonly BuiltIndex[];
  readonly size: number;
  readonly readAt: ReadAt;
  readonly hasher: Hasher;
  readCount: number;
}

/** Median time to open the index, in milliseconds. */
function timeOpen(file: IndexFile): number {
  const times = Array.from({ length: 9 }, () => {
    const start = performance.now();
    openIndexFiles(file);
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[4];
}

function timeLookUps(file: IndexFile, ids: Uint8Array, absent: Uint8Array) {
  const before = heap();
  const index = openIndexFiles(file);
  const look = (at: number): void => {
    if (index.locate(ids, at, 1) === undefined) {
      throw new Error("Cannot find an object that is there");
    }
  };
  timeOf(ids, look);
  file.readCount = 0;
  const foundUs = timeOf(ids, look);
  const readsPerLookUp = file.readCount / (ids.length / 32);
  const absentUs = timeOf(absent, (at) => {
    if (index.locate(absent, at, 1) !== undefined) {
      throw new Error("Cannot find an object that is not there, but did");
    }
  });
  const heapBytes = heap() - before;
  const whole = openIndexFiles({ ...file, cacheSize: file.size });
  const lookWhole = (at: number): void => void whole.locate(ids, at, 1);
  timeOf(ids, lookWhole);
  const cachedUs = timeOf(ids, lookWhole);
  return { foundUs, absentUs, cachedUs, readsPerLookUp, heapBytes };
}

/** Reads as a worker does: through libc where there is permission. */
function openPread(path: string): (out: Uint8Array, at: number) => number {
  if (posix === undefined) {
    const file = openSync(path, "r");
    return (out, at) => readSync(file, out, 0, out.length, at);
  }
  const libc = posix;
  const name = new TextEncoder().encode(`${path}\0`);
  const file = libc.open(name, constants.O_RDONLY, 0);
  return (out, at) => libc.pread(file, out, at);
}

/** Builds the index in a file. */
function buildFile(path: string, ids: Uint8Array): IndexFile {
  const file = openSync(path, "w");
  const hasher = nativeHasher();
  const packs: IndexPack[] = [];
  for (let at = 0; at < ids.length; at += OBJECTS_PER_PACK * 32) {
    const some = ids.subarray(at, at + OBJECTS_PER_PACK * 32);
    packs.push(makePack(some, packs.length, hasher));
  }
  const sink: IndexSink = {
    write: (bytes) => void writeSync(file, bytes),
    end() {},
  };
  const saveId = new Uint8Array(16);
  const salt = new Uint8Array(32);
  const options = { saveId, salt, timeMs: 0, hasher };
  const tables = writeIndex(packs, sink, options);
  closeSync(file);
  const { size } = tables[0];
  const pread = openPread(path);
  const readAt: ReadAt = (_name, offset, out) => {
    result.readCount++;
    const count = pread(out, offset);
    if (count !== out.length) {
      throw new Error(`Cannot read page: found ${count}`);
    }
  };
  const result: IndexFile = { tables, size, readAt, hasher, readCount: 0 };
  return result;
}

/**
 * Builds an index in a file and measures it.
 *
 * @param options How large it is.
 * @returns The figures.
 */
export function runIndexBench(options: IndexBenchOptions): IndexBenchResult {
  const random = new Prng(1);
  const { objectCount, lookUpCount } = options;
  const ids = random.bytes(objectCount * 32);
  const path = Deno.makeTempFileSync({ prefix: "index-bench-" });
  try {
    const start = performance.now();
    const file = buildFile(path, ids);
    const buildMs = performance.now() - start;
    const openMs = timeOpen(file);
    const found = pick(ids, lookUpCount, random);
    const absent = random.bytes(lookUpCount * 32);
    const { heapBytes, ...times } = timeLookUps(file, found, absent);
    const heapPerEntry = heapBytes / objectCount;
    return { size: file.size, buildMs, openMs, ...times, heapPerEntry };
  } finally {
    Deno.removeSync(path);
  }
}

function heap(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return Deno.memoryUsage().heapUsed;
}

if (import.meta.main) {
  const options = Deno.args.includes("--small") ? SMALL : FULL;
  const result = runIndexBench(options);
  const reads = posix === undefined ? "node:fs" : "libc";
  console.log(
    `Deno ${Deno.version.deno}, ${options.objectCount} objects, pages read by ${reads}`,
  );
  for (const [name, value] of Object.entries(result)) {
    console.log(name.padEnd(16), value.toFixed(2).padStart(14));
  }
}
