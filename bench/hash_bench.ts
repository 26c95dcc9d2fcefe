/**
 * Speed of the hashers and of the chunker in MB/s:
 * `deno run -A bench/hash_bench.ts`, or with `--small` to see that it runs.
 *
 * @module
 */

import { createHash, hash as blake3Wasm } from "blake3-wasm";
import { Chunker, DEFAULT_CHUNK_SIZES } from "@snap/hash/chunk";
import type { Hasher } from "@snap/hash";
import { jsHasher } from "@snap/hash/js-hasher";
import { nativeHasher } from "@snap/hash/native";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { Prng } from "../tests/_prng.ts";

/** How long one figure is measured, and on how many bytes. */
export interface HashBenchOptions {
  /** Least time for one figure, in milliseconds. */
  readonly timeMs: number;
  /** Size of the large content in bytes. */
  readonly sizeLarge: number;
}

/** One figure. */
export interface HashBenchRow {
  /** What ran, as it names itself. */
  readonly name: string;
  /** Bytes hashed by one call. */
  readonly size: number;
  /** Microseconds for one call, the best of several runs. */
  readonly timeUs: number;
}

const FULL: HashBenchOptions = { timeMs: 600, sizeLarge: 64 << 20 };
const SMALL: HashBenchOptions = { timeMs: 1, sizeLarge: 1 << 20 };
const RUN_MS = 50;

type Hash = (bytes: Uint8Array) => void;

function hashOf(hasher: Hasher, expected: string): [string, Hash] {
  if (hasher.name !== expected) {
    throw new Error(`Cannot measure ${expected}: ${hasher.name} ran`);
  }
  const out = new Uint8Array(32);
  return [hasher.name, (bytes) => hasher.hashInto(bytes, out)];
}

/** Times calls in runs of about 50 ms and takes the best run. */
function timeOf(call: () => void, { timeMs }: HashBenchOptions): number {
  const start = performance.now();
  call();
  const first = performance.now() - start;
  const count = Math.max(1, Math.round(Math.min(RUN_MS, timeMs) / first));
  let best = Infinity;
  do {
    const begin = performance.now();
    for (let i = 0; i < count; i++) call();
    best = Math.min(best, (performance.now() - begin) / count);
  } while (performance.now() - start < timeMs);
  return best * 1000;
}

function cutAll(chunker: Chunker, content: Uint8Array): void {
  for (let start = 0; start < content.length;) {
    start = chunker.cut(content, start, content.length);
  }
}

/**
 * Measures every hasher at every size, and the chunker.
 *
 * @param options How long and on how much.
 * @returns The figures.
 */
export function runHashBench(options: HashBenchOptions): HashBenchRow[] {
  const content = new Prng(1).bytes(options.sizeLarge);
  const hashes: [string, Hash][] = [
    hashOf(wasmHasher, "wasm"),
    hashOf(jsHasher, "js"),
    hashOf(nativeHasher(), "native"),
    [
      "blake3-wasm 2.1.5",
      (bytes) =>
        bytes.length < options.sizeLarge
          ? blake3Wasm(bytes)
          : createHash().update(bytes).digest(),
    ],
  ];
  const rows: HashBenchRow[] = [];
  for (const size of [64, 4 << 10, 64 << 10, options.sizeLarge]) {
    const bytes = content.subarray(0, size);
    for (const [name, hash] of hashes) {
      rows.push({ name, size, timeUs: timeOf(() => hash(bytes), options) });
    }
  }
  const chunker = new Chunker(DEFAULT_CHUNK_SIZES);
  const timeUs = timeOf(() => cutAll(chunker, content), options);
  rows.push({ name: "chunker", size: content.length, timeUs });
  return rows;
}

if (import.meta.main) {
  const rows = runHashBench(Deno.args.includes("--small") ? SMALL : FULL);
  console.log(`Deno ${Deno.version.deno}, ${Deno.build.arch}`);
  for (const { name, size, timeUs } of rows) {
    console.log(
      name.padEnd(18),
      `${size}`.padStart(9),
      "bytes",
      timeUs.toFixed(3).padStart(12),
      "us",
      (size / timeUs).toFixed(0).padStart(6),
      "MB/s",
    );
  }
}
