// Tells what a tree is like, to compare a made one with real ones:
//   deno run -A bench/_survey.ts FOLDER...
import { Buffer } from "node:buffer";
import { constants, zstdCompressSync } from "node:zlib";
import { Chunker } from "@snap/hash/chunk";
import { nativeHasher } from "@snap/hash/native";
import { lz4Codec } from "@snap/pack/codecs";

const BUNDLE_SIZE = 256 * 1024;
const LARGE_SIZE = 100_000;

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
  const surveyor = new Surveyor();
  for (const path of filesBelow(root)) surveyor.add(Deno.readFileSync(path));
  return surveyor.finish();
}

/** Adds up files in the order in which they come. */
class Surveyor {
  readonly #hasher = nativeHasher();
  readonly #chunker = new Chunker();
  readonly #sizes: number[] = [];
  readonly #files = new Set<string>();
  readonly #chunks = new Set<string>();
  readonly #lz4 = new Ratio();
  readonly #zstd1 = new Ratio();
  readonly #zstd3 = new Ratio();
  readonly #bundles = new Ratio();
  #bundle: Uint8Array[] = [];
  #bundleSize = 0;
  #inLarge = 0;
  #copies = 0;
  #inCopies = 0;
  #inCopiedChunks = 0;
  #dense = 0;

  add(bytes: Uint8Array): void {
    const size = bytes.length;
    this.#sizes.push(size);
    if (size === 0) return;
    if (size >= LARGE_SIZE) this.#inLarge += size;
    const id = this.#hasher.idOf(bytes);
    if (this.#files.has(id)) {
      this.#copies++;
      this.#inCopies += size;
      return;
    }
    this.#files.add(id);
    this.#addChunks(bytes);
    this.#compress(bytes);
    if (size >= BUNDLE_SIZE) return;
    if (this.#bundleSize + size > BUNDLE_SIZE) this.#endBundle();
    this.#bundle.push(bytes);
    this.#bundleSize += size;
  }

  finish(): Survey {
    this.#endBundle();
    const sizes = this.#sizes.sort((a, b) => a - b);
    const sum = sizes.reduce((total, size) => total + size, 0);
    const first = sum - this.#inCopies;
    return {
      files: sizes.length,
      megabytes: sum / 1e6,
      median: sizes[sizes.length >> 1],
      ninetieth: sizes[Math.floor(sizes.length * 0.9)],
      inLarge: 100 * this.#inLarge / sum,
      inCopies: 100 * this.#inCopies / sum,
      copies: 100 * this.#copies / sizes.length,
      inCopiedChunks: 100 * this.#inCopiedChunks / first,
      lz4: this.#lz4.value,
      zstd1: this.#zstd1.value,
      zstd3: this.#zstd3.value,
      bundles3: this.#bundles.value,
      dense: 100 * this.#dense / first,
    };
  }

  #addChunks(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const end = this.#chunker.cut(bytes, at, bytes.length);
      const id = this.#hasher.idOf(bytes.subarray(at, end));
      if (this.#chunks.has(id)) this.#inCopiedChunks += end - at;
      this.#chunks.add(id);
      at = end;
    }
  }

  #compress(bytes: Uint8Array): void {
    const size = bytes.length;
    const fast = zstdSize(bytes, 1);
    if (fast > 0.95 * size) this.#dense += size;
    this.#zstd1.add(size, fast);
    this.#zstd3.add(size, zstdSize(bytes, 3));
    this.#lz4.add(size, lz4Size(bytes));
  }

  #endBundle(): void {
    if (this.#bundleSize === 0) return;
    const plain = Buffer.concat(this.#bundle);
    this.#bundles.add(plain.length, zstdSize(plain, 3));
    this.#bundle = [];
    this.#bundleSize = 0;
  }
}

function zstdSize(bytes: Uint8Array, level: number): number {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  return zstdCompressSync(bytes, { params }).length;
}

/** In blocks of 1 MiB, as frames are no larger. */
function lz4Size(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 1 << 20) {
    const part = bytes.subarray(at, at + (1 << 20));
    sum += lz4Codec.compress(part)?.length ?? part.length;
  }
  return sum;
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
