/**
 * A walk of `/usr`, list and stat of each entry, and the writing of small files:
 * `deno run -A bench/walk_bench.ts`, or with `--small` to see that it runs.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { type DiskCalls, diskCalls, DiskError, nodeCalls } from "@snap/disk";
import { openSource, type SourceDirectory } from "@snap/disk/source";
import { openTarget } from "@snap/disk/target";

/** What is walked and written. */
export interface WalkBenchOptions {
  /** Folder that is walked. */
  readonly path: string;
  /** Rounds; the best counts. */
  readonly roundCount: number;
  /** Number of files that are written. */
  readonly fileCount: number;
  /** Folder that files are written into. */
  readonly scratch: string;
}

/** One figure. */
export interface WalkBenchRow {
  /** What ran. */
  readonly name: string;
  /** Entries walked or files written. */
  readonly count: number;
  /** Milliseconds of the best round. */
  readonly timeMs: number;
}

const FULL: WalkBenchOptions = {
  path: "/usr",
  roundCount: 5,
  fileCount: 20_000,
  scratch: "/dev/shm",
};
const SMALL: WalkBenchOptions = {
  path: "/usr/bin",
  roundCount: 1,
  fileCount: 200,
  scratch: "/tmp",
};

function best(
  roundCount: number,
  run: () => number,
): { count: number; timeMs: number } {
  let timeMs = Infinity;
  let count = 0;
  for (let round = 0; round < roundCount; round++) {
    const start = performance.now();
    count = run();
    timeMs = Math.min(timeMs, performance.now() - start);
  }
  return { count, timeMs };
}

function countBelow(directory: SourceDirectory): number {
  let count = directory.count;
  for (let i = 0; i < directory.count; i++) {
    if (!directory.isDirectory(i)) continue;
    const child = directory.child(i);
    if (!(child instanceof DiskError)) count += countBelow(child);
  }
  directory.close();
  return count;
}

function walkWith(path: string, calls: DiskCalls, fidelity: string): number {
  using source = openSource(path, { calls });
  if (source.fidelity !== fidelity) {
    throw new Error(`Cannot measure ${fidelity}: other calls ran`);
  }
  return countBelow(source.root());
}

/** What a program without this package does. */
function walkWithDeno(path: string): number {
  let count = 0;
  for (const entry of Deno.readDirSync(path)) {
    const entryPath = `${path}/${entry.name}`;
    Deno.lstatSync(entryPath);
    count++;
    if (entry.isDirectory) count += walkWithDeno(entryPath);
  }
  return count;
}

/** Writes into a new folder each time; removing it is not measured. */
function timeWriting(
  options: WalkBenchOptions,
  calls: DiskCalls,
): { count: number; timeMs: number } {
  let timeMs = Infinity;
  for (let round = 0; round < options.roundCount; round++) {
    const path = mkdtempSync(`${options.scratch}/walk-bench-`);
    const start = performance.now();
    writeFiles(path, options.fileCount, calls);
    timeMs = Math.min(timeMs, performance.now() - start);
    rmSync(path, { recursive: true });
  }
  return { count: options.fileCount, timeMs };
}

function writeFiles(path: string, count: number, calls: DiskCalls): void {
  const encoder = new TextEncoder();
  const content = new Uint8Array(1000).fill(7);
  using target = openTarget(path, { calls });
  let directory = target.root;
  for (let i = 0; i < count; i++) {
    if (i % 100 === 0) {
      directory = target.directory(target.root, encoder.encode(`d${i}`), {
        create: true,
      });
    }
    const file = target.createFile(directory, encoder.encode(`file${i}`));
    file.write(content, 0);
    file.setAttributes({ mode: 0o644, mtimeSec: 1_000_000_000, mtimeNs: i });
    file.finish();
  }
}

/**
 * Runs all.
 *
 * @param options What is walked and written.
 * @returns The figures.
 */
export function runWalkBench(options: WalkBenchOptions): WalkBenchRow[] {
  const { path, roundCount } = options;
  const native = diskCalls();
  return [
    {
      name: "walk, native",
      ...best(roundCount, () => walkWith(path, native, "full")),
    },
    {
      name: "walk, node:fs",
      ...best(roundCount, () => walkWith(path, nodeCalls(), "reduced")),
    },
    {
      name: "readDirSync + lstatSync",
      ...best(roundCount, () => walkWithDeno(path)),
    },
    {
      name: "write 1 kB files, native",
      ...timeWriting(options, native),
    },
    {
      name: "write 1 kB files, node:fs",
      ...timeWriting(options, nodeCalls()),
    },
  ];
}

if (import.meta.main) {
  const options = Deno.args.includes("--small") ? SMALL : FULL;
  for (const { name, count, timeMs } of runWalkBench(options)) {
    const perEntryUs = (1000 * timeMs) / count;
    console.log(
      `${name.padEnd(28)}${String(count).padStart(8)}${
        timeMs.toFixed(0).padStart(8)
      } ms${perEntryUs.toFixed(2).padStart(8)} us each`,
    );
  }
}
