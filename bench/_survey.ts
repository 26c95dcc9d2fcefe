// Tells what a tree is like, to compare a made one with real ones:
//   deno run -A bench/_survey.ts FOLDER...
import { constants, zstdCompressSync } from "node:zlib";
import { Chunker } from "@snap/hash/chunk";
import { nativeHasher } from "@snap/hash/native";
import { lz4Codec } from "@snap/pack/lz4-codec";
import { idFromBytes } from "@snap/hash/id";

const BUNDLE_SIZE = 256 * 1024;

/** What a tree is like. */
export interface Survey {
  /** Regular files. */
  readonly files: number;
  /** Megabytes of them. */
  readonly megabytes: number;
  /** The size in bytes that half of the files do not reach. */
  readonly median: number;
  /** The size that nine of ten do not reach. */
  readonly ninetieth: number;
  /** Percent of the bytes in files of 100 KB and more. */
  readonly inLarge: number;
  /** Percent of the bytes in files that are copies of others. */
  readonly inCopies: number;
  /** Percent of the files that are copies of others. */
  readonly copies: number;
  /** Percent of the other bytes in chunks that are copies of others. */
  readonly inCopiedChunks: number;
  /** How much smaller each file alone becomes with LZ4. */
  readonly lz4: number;
  /** How much smaller each file alone becomes with zstd 1. */
  readonly zstd1: number;
  /** How much smaller each file alone becomes with zstd 3. */
  readonly zstd3: number;
  /** Zstd 3 over files of less than 256 KiB in one frame, in order. */
  readonly bundles3: number;
  /** Percent of the bytes in files that zstd 1 makes less than 5 % smaller. */
  readonly dense: number;
}

/** Adds up plain and stored sizes. */
class Ratio {
  #plain = 0;
  #stored = 0;

  add(plain: number, stored: number): void {
    this.#plain += plain;
    this.#stored += Math.min(plain, stored);
  }

  get value(): number {
    return this.#plain / this.#stored;
  }
}

/** Looks at every file of a tree. */
export function surveyTree(root: string): Survey {
  const hasher = nativeHasher();
  const chunker = new Chunker();
  const sizes: number[] = [];
  const seen = new Set<string>();
  const chunks = new Set<string>();
  const ratios = [new Ratio(), new Ratio(), new Ratio()];
  const bundles = new Ratio();
  let bundle: Uint8Array[] = [];
  let bundleSize = 0;
  const endBundle = () => {
    if (bundleSize > 0) {
      bundles.add(bundleSize, zstdSize(joined(bundle, bundleSize), 3));
    }
    bundle = [];
    bundleSize = 0;
  };
  let inCopies = 0, copies = 0, inLarge = 0, inChunks = 0, dense = 0;
  for (const path of filesBelow(root)) {
    const bytes = Deno.readFileSync(path);
    const size = bytes.length;
    sizes.push(size);
    if (size >= 100_000) inLarge += size;
    const id = hasher.idOf(bytes);
    if (seen.has(id) && size > 0) {
      inCopies += size;
      copies++;
      continue;
    }
    seen.add(id);
    const out = new Uint8Array(32);
    for (let at = 0; at < size;) {
      const end = chunker.cut(bytes, at, size);
      hasher.hashInto(bytes.subarray(at, end), out);
      const chunk = idFromBytes(out);
      if (chunks.has(chunk)) inChunks += end - at;
      chunks.add(chunk);
      at = end;
    }
    if (size === 0) continue;
    const one = zstdSize(bytes, 1);
    ratios[0].add(size, lz4Size(bytes));
    ratios[1].add(size, one);
    ratios[2].add(size, zstdSize(bytes, 3));
    if (one > 0.95 * size) dense += size;
    if (size >= BUNDLE_SIZE) continue;
    if (bundleSize + size > BUNDLE_SIZE) endBundle();
    bundle.push(bytes);
    bundleSize += size;
  }
  endBundle();
  sizes.sort((a, b) => a - b);
  const sum = sizes.reduce((total, size) => total + size, 0);
  const percent = (part: number, all: number) => 100 * part / all;
  return {
    files: sizes.length,
    megabytes: sum / 1e6,
    median: sizes[sizes.length >> 1],
    ninetieth: sizes[Math.floor(sizes.length * 0.9)],
    inLarge: percent(inLarge, sum),
    inCopies: percent(inCopies, sum),
    copies: percent(copies, sizes.length),
    inCopiedChunks: percent(inChunks, sum - inCopies),
    lz4: ratios[0].value,
    zstd1: ratios[1].value,
    zstd3: ratios[2].value,
    bundles3: bundles.value,
    dense: percent(dense, sum - inCopies),
  };
}

function zstdSize(bytes: Uint8Array, level: number): number {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  return zstdCompressSync(bytes, { params }).length;
}

/** In blocks of at most 4 MiB, as a frame has no more. */
function lz4Size(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 1 << 20) {
    const part = bytes.subarray(at, at + (1 << 20));
    sum += lz4Codec.compress(part)?.length ?? part.length;
  }
  return sum;
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function* filesBelow(folder: string): Generator<string> {
  const entries = [...Deno.readDirSync(folder)];
  entries.sort((a, b) => a.name < b.name ? -1 : 1);
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* filesBelow(path);
    else if (entry.isFile) yield path;
  }
}

if (import.meta.main) {
  for (const folder of Deno.args) {
    console.log(folder);
    for (const [name, value] of Object.entries(surveyTree(folder))) {
      const digits = value < 100 && !Number.isInteger(value) ? 2 : 0;
      console.log(`  ${name.padEnd(16)}${value.toFixed(digits).padStart(8)}`);
    }
  }
}
