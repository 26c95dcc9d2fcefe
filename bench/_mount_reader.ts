// Reads a mounted tree, started by _mount_reads.ts: prints what the reads took,
// and checksums of what came, as JSON. What it costs itself, a native call of
// some 0.2 us a read, is the same for all.
import { createHash } from "node:crypto";
import process from "node:process";
import { posix } from "@snap/posix";
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  POSIX_FADV_DONTNEED,
} from "@snap/posix/constants";
import { Prng } from "../tests/_prng.ts";
import type { ReaderOptions, ReaderResult } from "./_mount_reads.ts";
import { LARGE_NAME } from "./_mount_tree.ts";

const POSIX_FADV_RANDOM = 1;
/** What `cat` reads at once. */
const SEQUENTIAL_SIZE = 128 * 1024;
const PAGE_SIZE = 4096;
/** Random reads before those that count. */
const WARM_UP_COUNT = 2_000;
/** How often slow random reads look at the clock. */
const CLOCK_INTERVAL = 32;

const system = posix!;
const buffer = new Uint8Array(2 ** 20).fill(1);
const encoder = new TextEncoder();

function check(result: number, what: string): number {
  if (result >= 0) return result;
  throw new Error(`Cannot ${what}: found ${result}`);
}

function open(dir: number, name: string, flags = 0): number {
  const bytes = encoder.encode(`${name}\0`);
  return check(
    system.openAt(dir, bytes, O_RDONLY | O_CLOEXEC | flags, 0),
    `open ${name}`,
  );
}

/** Seconds that this program and the one that serves the mount have computed so far. */
function cpuSeconds(server: number): number {
  const { user, system } = process.cpuUsage();
  const path = `/proc/${server}/task`;
  let nanoseconds = 0;
  for (const { name } of server > 0 ? Deno.readDirSync(path) : []) {
    const said = Deno.readTextFileSync(`${path}/${name}/schedstat`);
    nanoseconds += parseInt(said);
  }
  return (user + system) / 1e6 + nanoseconds / 1e9;
}

/** What a pass took. */
interface Pass {
  /** What it counts, a second. */
  readonly rate: number;
  /** What one of them costs, in seconds of both programs. */
  readonly cpu: number;
}

/** Measures a pass that tells how much it did. */
function measured(server: number, run: () => number): Pass {
  const before = cpuSeconds(server);
  let count = 0;
  const seconds = secondsOf(() => count = run());
  const cpu = (cpuSeconds(server) - before) / count;
  return { rate: count / seconds, cpu };
}

function secondsOf(run: () => void): number {
  const start = performance.now();
  run();
  return (performance.now() - start) / 1000;
}

/** Forgets the pages of a file. */
function drop(dir: number, name: string): void {
  const fd = open(dir, name);
  check(system.fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), "forget pages");
  system.close(fd);
}

/** Reads a file from its start to its end. @returns Its size. */
function readFile(
  dir: number,
  name: string,
  out: Uint8Array,
  onPiece?: (piece: Uint8Array) => void,
): number {
  const fd = open(dir, name);
  let size = 0;
  for (;;) {
    const count = check(system.read(fd, out), `read ${name}`);
    if (count === 0) break;
    size += count;
    onPiece?.(out.subarray(0, count));
  }
  system.close(fd);
  return size;
}

function checksumOf(dir: number, names: readonly string[]): string {
  const hash = createHash("sha256");
  for (const name of names) {
    readFile(dir, name, buffer, (piece) => hash.update(piece));
  }
  return hash.digest("hex");
}

/** Reads the large file from its start to its end. @returns Bytes. */
function readLarge(dir: number): number {
  return readFile(dir, LARGE_NAME, buffer.subarray(0, SEQUENTIAL_SIZE));
}

/** Reads all small files, in the order of the folders. @returns Their number. */
function readSmall(dir: number, names: readonly string[]): number {
  for (const name of names) readFile(dir, name, buffer);
  return names.length;
}

/** Random reads of pages of the large file, none of them twice. */
class RandomReads {
  readonly #dir: number;
  readonly #fd: number;
  readonly #pages: Uint32Array;
  readonly #out: Uint8Array;
  #count = 0;

  constructor(dir: number, { seed, randomCount, round }: ReaderOptions) {
    this.#dir = dir;
    drop(dir, LARGE_NAME);
    this.#fd = open(dir, LARGE_NAME);
    check(
      system.fadvise(this.#fd, 0, 0, POSIX_FADV_RANDOM),
      "announce random reads",
    );
    const size = check(system.lseek(this.#fd, 0, 2), "find the end");
    const pages = Uint32Array.from({ length: size / PAGE_SIZE }, (_, i) => i);
    shuffle(pages, new Prng(seed + round));
    this.#pages = pages.subarray(0, WARM_UP_COUNT + randomCount);
    // Filled, so that no page of it is new while the clock runs.
    this.#out = new Uint8Array(this.#pages.length * PAGE_SIZE).fill(1);
  }

  /** Reads until the time is over. @returns The number of reads. */
  run(count: number, secondsMax: number): number {
    const first = this.#count;
    const end = Math.min(first + count, this.#pages.length);
    const start = performance.now();
    while (this.#count < end) {
      this.#read(this.#fd, this.#count++, this.#out);
      if (this.#count % CLOCK_INTERVAL > 0) continue;
      if (performance.now() - start > secondsMax * 1000) break;
    }
    return this.#count - first;
  }

  /** Compares all that was read with another copy of the file. */
  isSameAs(dir: number): boolean {
    const fd = open(dir, LARGE_NAME);
    const expected = new Uint8Array(this.#out.length);
    for (let i = 0; i < this.#count; i++) this.#read(fd, i, expected);
    system.close(fd);
    const size = this.#count * PAGE_SIZE;
    return checksum(expected, size) === checksum(this.#out, size);
  }

  [Symbol.dispose](): void {
    system.close(this.#fd);
    drop(this.#dir, LARGE_NAME);
  }

  #read(fd: number, index: number, out: Uint8Array): void {
    const at = index * PAGE_SIZE;
    const piece = out.subarray(at, at + PAGE_SIZE);
    const count = system.pread(fd, piece, this.#pages[index] * PAGE_SIZE);
    if (count === PAGE_SIZE) return;
    throw new Error(`Cannot read page ${this.#pages[index]}: found ${count}`);
  }
}

function shuffle(pages: Uint32Array, prng: Prng): void {
  for (let i = pages.length - 1; i > 0; i--) {
    const j = prng.below(i + 1);
    const page = pages[i];
    pages[i] = pages[j];
    pages[j] = page;
  }
}

function checksum(bytes: Uint8Array, size: number): string {
  return createHash("sha256").update(bytes.subarray(0, size)).digest("hex");
}

/** Small files below a folder, by path, in the order of their names. */
function smallFiles(root: string): string[] {
  return [...Deno.readDirSync(root)].filter(({ isDirectory }) => isDirectory)
    .flatMap(({ name }) =>
      [...Deno.readDirSync(`${root}/${name}`)].map((file) =>
        `${name}/${file.name}`
      )
    ).sort();
}

function run(options: ReaderOptions): ReaderResult {
  const dir = open(AT_FDCWD, options.root, O_DIRECTORY);
  const original = open(AT_FDCWD, options.original, O_DIRECTORY);
  const names = smallFiles(options.original);
  const pass = (run: () => number): Pass => measured(options.server, run);
  const firstLarge = pass(() => readLarge(dir));
  drop(dir, LARGE_NAME);
  const large = pass(() => readLarge(dir));
  const secondLarge = pass(() => readLarge(dir));
  const largeChecksum = checksumOf(dir, [LARGE_NAME]);
  drop(dir, LARGE_NAME);
  readSmall(dir, names);
  for (const name of names) drop(dir, name);
  const small = pass(() => readSmall(dir, names));
  const smallChecksum = checksumOf(dir, names);
  for (const name of names) drop(dir, name);
  using reads = new RandomReads(dir, options);
  reads.run(WARM_UP_COUNT, options.secondsMax / 4);
  const random = pass(() => reads.run(options.randomCount, options.secondsMax));
  return {
    firstLarge: firstLarge.rate,
    large: large.rate,
    largeCpu: large.cpu,
    secondLarge: secondLarge.rate,
    small: small.rate,
    smallCpu: small.cpu,
    random: random.rate,
    randomCpu: random.cpu,
    checksum: `${largeChecksum} ${smallChecksum}`,
    isRandomEqual: reads.isSameAs(original),
  };
}

console.log(JSON.stringify(run(JSON.parse(Deno.args[0]))));
