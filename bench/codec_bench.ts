/**
 * What frames cost: compressing and decompressing, one-shot zstd and zstd with
 * a decoder that is kept, memory in a loop that does not yield, recipes, frame
 * caches: `deno run -A bench/codec_bench.ts`, or with `--small` to see that it
 * runs.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { constants, zstdDecompressSync } from "node:zlib";
import * as lz4Wasm from "lz4-wasm-nodejs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { type Codec, lz4Codec, zstdCodec } from "@snap/pack/codecs";
import { type FrameCache, SharedFrameCache } from "@snap/pack/cache";
import { HeapFrameCache } from "@snap/pack/read";
import { RecipeReader } from "@snap/pack/recipe";
import { RecipeBuilder } from "@snap/pack/recipe-writer";
import { Prng } from "../tests/_prng.ts";
import { ContentMaker } from "./_content.ts";

/** How much is measured. */
export interface CodecBenchOptions {
  /** Least time for one figure, in milliseconds. */
  readonly timeMs: number;
  /** Bytes of each content. */
  readonly contentSize: number;
  /** Calls in a loop that does not yield. */
  readonly loopCount: number;
  /** Rows of a recipe. */
  readonly rowCount: number;
}

/** One line of a table. */
export type CodecBenchRow = Readonly<Record<string, string | number>>;

const FULL: CodecBenchOptions = {
  timeMs: 150,
  contentSize: 4 << 20,
  loopCount: 200_000,
  rowCount: 5_000_000,
};
const SMALL: CodecBenchOptions = {
  timeMs: 1,
  contentSize: 256 << 10,
  loopCount: 200,
  rowCount: 20_000,
};
const FRAME_SIZES = [32 << 10, 64 << 10, 256 << 10];

/** The peer's block has its plain size before it; it makes its own output. */
const peer: Codec = {
  tag: lz4Codec.tag,
  name: "lz4-wasm-nodejs",
  compress: (plain) => lz4Wasm.compress(plain),
  decompress: (stored) => void lz4Wasm.decompress(stored),
};

const level3 = zstdCodec({ level: 3 });

const oneShot: Codec = {
  tag: level3.tag,
  name: "zstd:3, one-shot decoder",
  compress: (plain) => level3.compress(plain),
  decompress(stored, out) {
    out.set(zstdDecompressSync(stored, { maxOutputLength: out.length }));
  },
};

/** Returns the best time of one call in microseconds. */
function bestUs(timeMs: number, calls: number, run: () => void): number {
  run();
  let best = Infinity;
  const end = performance.now() + timeMs;
  do {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  } while (performance.now() < end);
  return best * 1000 / calls;
}

/** Cuts content into frames of one size. */
function framesOf(content: Uint8Array, size: number): Uint8Array[] {
  const count = Math.floor(content.length / size);
  return Array.from(
    { length: count },
    (_, i) => content.slice(i * size, (i + 1) * size),
  );
}

/** Measures codecs on frames of text and of something like machine code. */
export function benchCodecs(options: CodecBenchOptions): CodecBenchRow[] {
  const { timeMs, contentSize } = options;
  const maker = new ContentMaker(new Prng(1));
  const text = new Uint8Array(contentSize);
  maker.fillText(text, { copies: 0.3 });
  const binary = new Uint8Array(contentSize);
  maker.fillBinary(binary);
  const codecs = [lz4Codec, peer, zstdCodec({ level: 1 }), level3, oneShot];
  const rows: CodecBenchRow[] = [];
  for (const [content, bytes] of Object.entries({ text, binary })) {
    for (const size of FRAME_SIZES) {
      const frames = framesOf(bytes, size);
      for (const codec of codecs) {
        const stored = frames.map((frame) =>
          new Uint8Array(codec.compress(frame) ?? frame)
        );
        const out = new Uint8Array(size);
        const sum = stored.reduce((total, { length }) => total + length, 0);
        const compress = bestUs(timeMs, frames.length, () => {
          for (const frame of frames) codec.compress(frame);
        });
        const decompress = bestUs(timeMs, frames.length, () => {
          for (const frame of stored) codec.decompress(frame, out);
        });
        rows.push({
          content,
          "KiB": size >> 10,
          codec: codec.name,
          ratio: (frames.length * size / sum).toFixed(2),
          "compress us": compress.toFixed(1),
          "decompress us": decompress.toFixed(1),
          "decompress MB/s": Math.round(size / decompress),
        });
      }
    }
  }
  return rows;
}

function residentMiB(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) >> 10;
}

/** Measures memory in loops that do not yield. */
export function benchLoops({ loopCount }: CodecBenchOptions): CodecBenchRow[] {
  const plain = new Uint8Array(32 << 10);
  new ContentMaker(new Prng(2)).fillText(plain, { copies: 0.3 });
  const codec = zstdCodec({ level: constants.ZSTD_CLEVEL_DEFAULT });
  const stored = new Uint8Array(codec.compress(plain)!);
  const out = new Uint8Array(plain.length);
  codec.decompress(stored, out);
  const loops: Record<string, () => void> = {
    "decompress, decoder kept": () => codec.decompress(stored, out),
    "compress": () => void codec.compress(plain),
    "decompress, one-shot": () => oneShot.decompress(stored, out),
  };
  return Object.entries(loops).map(([loop, run]) => {
    const before = residentMiB();
    let most = before;
    for (let i = 0; i < loopCount; i++) {
      run();
      if (i % 1000 === 0) most = Math.max(most, residentMiB());
    }
    most = Math.max(most, residentMiB());
    return { loop, calls: loopCount, "MiB before": before, "MiB most": most };
  });
}

/** Measures building and reading a recipe of many rows. */
export function benchRecipes({ rowCount }: CodecBenchOptions): CodecBenchRow[] {
  const prng = new Prng(3);
  const ids = prng.bytes(32 * 4096);
  const hasher = wasmHasher;
  const nodes = new Map<string, Uint8Array>();
  let nodeBytes = 0;
  let keeps = false;
  const builder = new RecipeBuilder({
    hasher,
    onNode: (bytes, id) => {
      nodeBytes += bytes.length;
      if (keeps) nodes.set(id.toHex(), bytes.slice());
    },
  });
  const object = { id: new Uint8Array(32).fill(1), kind: 1 };
  const build = (count: number) => {
    let size = 0;
    nodeBytes = 0;
    for (let i = 0; i < count; i++) {
      const rowSize = 8192 + (i & 0xffff);
      size += rowSize;
      builder.push(ids, 32 * (Math.imul(i, 2654435761) >>> 20), rowSize);
    }
    builder.finish(object);
    return size;
  };
  build(10_000);
  const before = residentMiB();
  let start = performance.now();
  build(rowCount);
  const buildNs = (performance.now() - start) * 1e6 / rowCount;
  const grown = residentMiB() - before;
  keeps = true;
  const count = Math.min(rowCount, 200_000);
  const size = build(count);
  const reader = new RecipeReader({ hasher, size, ...object });
  start = performance.now();
  let rows = 0;
  for (let step = reader.next(); step !== "end"; step = reader.next()) {
    if (step === "node") reader.give(nodes.get(reader.wanted.toHex())!);
    else rows++;
  }
  const readNs = (performance.now() - start) * 1e6 / rows;
  if (rows !== count) throw new Error(`Read ${rows} of ${count} rows`);
  return [{
    rows: rowCount,
    "build ns/row": Math.round(buildNs),
    "MiB grown": grown,
    "read ns/row": Math.round(readNs),
    "bytes/row": (nodeBytes / count).toFixed(1),
  }];
}

/** Measures a look-up of a cached frame, with one checked object. */
export function benchCaches({ timeMs }: CodecBenchOptions): CodecBenchRow[] {
  const caches: Record<string, FrameCache> = {
    HeapFrameCache: new HeapFrameCache({ sizeMax: 64 << 20 }),
    SharedFrameCache: SharedFrameCache.create({ sizeMax: 64 << 20 }),
  };
  const object = { id: new Prng(4).bytes(32), offset: 100, size: 4096 };
  return Object.entries(caches).map(([name, cache]) => {
    const frameCount = 100;
    for (let key = 0; key < frameCount; key++) {
      const slot = cache.pin(key, 45_000);
      cache.publish(slot);
      cache.setChecked(slot, object);
      cache.unpin(slot);
    }
    let misses = 0;
    const hitUs = bestUs(timeMs, frameCount, () => {
      for (let key = 0; key < frameCount; key++) {
        const slot = cache.find(key, 45_000);
        if (slot < 0 || !cache.isChecked(slot, object)) misses++;
        cache.bytes(slot);
        cache.unpin(slot);
      }
    });
    if (misses > 0) throw new Error(`${name} missed ${misses} times`);
    return { cache: name, "hit ns": Math.round(hitUs * 1000) };
  });
}

/** Renders rows of equal fields as a Markdown table. */
function render(rows: readonly CodecBenchRow[]): string {
  const heads = Object.keys(rows[0]);
  const lines = [heads, heads.map(() => "---"), ...rows.map(Object.values)];
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}

if (import.meta.main) {
  const options = Deno.args.includes("--small") ? SMALL : FULL;
  // Memory first: later parts leave their own behind.
  for (const bench of [benchLoops, benchRecipes, benchCaches, benchCodecs]) {
    console.log(render(bench(options)) + "\n");
  }
}
