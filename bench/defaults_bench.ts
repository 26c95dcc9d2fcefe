/**
 * The table by which the defaults are chosen: what sizes of chunks, frames and
 * bundles, and which codec, mean for the size of a store and of its index, for
 * saving and restoring with two workers, and for single reads: 4 KiB anywhere in
 * a large file, and a small file, with recipe and index pages known and the
 * frame not in the cache. Reads are without a kernel: look-up, decoding,
 * checking, copying.
 *
 * `deno run -A bench/defaults_bench.ts [TREE...] [--runs 3] [--only TEXT,TEXT]
 * [--cross] [--write]`, where TREE is a folder or the name of a made tree; `--only` takes
 * the lines whose settings contain every TEXT, as in `--only 8/32/128,zstd:3`;
 * `--cross` takes every combination; `--write` puts the table into
 * `docs/BENCHMARKS.md`, `--small` only shows that it runs.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { ReadCosts } from "./_read_costs.ts";
import { DEFAULT_SETTINGS, type StoreSettings } from "@snap/store/format";
import { type CaseResult, runCase } from "./_case.ts";
import {
  type BenchTree,
  hasRoom,
  prepareTree,
  removeTree,
  withFolder,
} from "./_folder.ts";
import { describeRun, writeSection } from "./_document.ts";
import { median } from "./_measure.ts";
import { megabytes, renderLines } from "./_table.ts";

const KIBIBYTE = 1024;
const CHUNKS = [[8, 32, 128], [16, 32, 128], [16, 64, 256]] as const;
const CONTENTS = [32, 64, 128];
const BUNDLES = [256, 512, 1024];
const CODECS = ["lz4", "zstd:1", "zstd:2", "zstd:3"];

/** Names settings as the table and `--only` do. */
function nameOf(settings: StoreSettings): string {
  const { chunk, largeFrameTarget, bundleSizeMax, codec } = settings;
  const sizes = [chunk.sizeMin, chunk.sizeAverage, chunk.sizeMax]
    .map((size) => size / KIBIBYTE);
  return [
    sizes.join("/"),
    `content ${largeFrameTarget / KIBIBYTE}`,
    `bundle ${bundleSizeMax / KIBIBYTE}`,
    codec,
  ].join(", ");
}

/** Every combination that a store accepts. */
function* allSettings(): Generator<StoreSettings> {
  for (const codec of CODECS) {
    for (const [sizeMin, sizeAverage, sizeMax] of CHUNKS) {
      for (const content of CONTENTS) {
        for (const bundle of BUNDLES) {
          if (bundle < sizeMax) continue;
          yield {
            ...DEFAULT_SETTINGS,
            chunk: {
              ...DEFAULT_SETTINGS.chunk,
              sizeMin: sizeMin * KIBIBYTE,
              sizeAverage: sizeAverage * KIBIBYTE,
              sizeMax: sizeMax * KIBIBYTE,
            },
            largeFrameTarget: content * KIBIBYTE,
            bundleSizeMax: bundle * KIBIBYTE,
            codec,
          };
        }
      }
    }
  }
}

/**
 * Whether settings differ from the defaults in one thing only: codec, bundle, or
 * chunks and content together, which belong together.
 */
function isNearDefaults(settings: StoreSettings): boolean {
  const base = DEFAULT_SETTINGS;
  const isOther = [
    settings.codec !== base.codec,
    settings.bundleSizeMax !== base.bundleSizeMax,
    settings.largeFrameTarget !== base.largeFrameTarget ||
    settings.chunk.sizeMin !== base.chunk.sizeMin ||
    settings.chunk.sizeAverage !== base.chunk.sizeAverage,
  ];
  return isOther.filter(Boolean).length <= 1;
}

/** Runs one line of the table once. */
async function runLine(
  tree: BenchTree,
  folder: string,
  settings: StoreSettings,
  readCount: number,
): Promise<CaseResult> {
  const store = `${folder}/store`;
  const target = `${folder}/target`;
  const canRestore = hasRoom(tree.byteCount * 1.7);
  if (!canRestore) console.error("No room to restore: left out");
  const result = await runCase({
    ...{ tree: tree.path, store, target, settings, workers: 2 },
    hasher: "native",
    steps: canRestore ? ["save", "restore", "reads"] : ["save", "reads"],
    readCount,
  });
  await removeTree(store);
  await removeTree(target);
  return result;
}

/** Runs all lines in turns, beginning with another one each time, so that a machine that is busy for a while is so for all. */
async function runLines(
  tree: BenchTree,
  folder: string,
  wanted: readonly StoreSettings[],
  options: { readonly runCount: number; readonly readCount: number },
): Promise<string[][]> {
  const results = wanted.map((): CaseResult[] => []);
  for (let run = 0; run < options.runCount; run++) {
    for (let i = 0; i < wanted.length; i++) {
      const line = (i + run) % wanted.length;
      console.error(`run ${run + 1}, ${nameOf(wanted[line])}`);
      results[line].push(
        await runLine(tree, folder, wanted[line], options.readCount),
      );
    }
  }
  return wanted.map((settings, i) =>
    lineOf(nameOf(settings), tree, results[i])
  );
}

/** Renders one line: medians, and the best of reads, which nothing can make too fast. */
function lineOf(
  name: string,
  tree: BenchTree,
  results: readonly CaseResult[],
): string[] {
  const [{ packBytes, indexBytes, reads }] = results;
  const seconds = (pick: (result: CaseResult) => number | undefined) => {
    const values = results.map(pick).filter((value) => value !== undefined);
    return values.length === 0 ? "" : median(values).toFixed(2);
  };
  const best = (key: keyof ReadCosts) =>
    Math.min(...results.map(({ reads }) => reads![key])).toFixed(0);
  return [
    name,
    ((packBytes + indexBytes) / 1e6).toFixed(1),
    (indexBytes / tree.byteCount * 1000).toFixed(2),
    seconds(({ steps }) => steps.save?.cpuSeconds),
    seconds(({ steps }) => steps.save?.wallSeconds),
    seconds(({ steps }) => steps.restore?.cpuSeconds),
    seconds(({ steps }) => steps.restore?.wallSeconds),
    `${best("randomUs")} (${reads!.randomKilobytes.toFixed(0)})`,
    `${best("smallUs")} (${reads!.smallKilobytes.toFixed(0)})`,
  ];
}

const HEAD = [
  "chunks, content frames, bundles in KiB, codec",
  "stored, MB",
  "index, GB/TB",
  "save, CPU s",
  "save, s",
  "restore, CPU s",
  "restore, s",
  "4 KiB at random, us (KB decoded)",
  "small file, us (KB decoded)",
];

if (import.meta.main) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "3" },
      only: { type: "string", default: "" },
      cross: { type: "boolean", default: false },
      small: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
    },
  });
  const texts = values.only.split(",").map((text) => text.trim());
  const wanted = [...allSettings()].filter((settings) =>
    values.small
      ? /^(8|16\/64).*content 32, bundle 256, lz4$/.test(nameOf(settings))
      : (values.cross || values.only !== "" || isNearDefaults(settings)) &&
        texts.every((text) => nameOf(settings).includes(text))
  );
  const size = values.small ? "small" : "full";
  const options = {
    runCount: values.small ? 1 : Number(values.runs),
    readCount: values.small ? 50 : 4000,
  };
  await withFolder(async (folder) => {
    for (const name of positionals.length > 0 ? positionals : ["source"]) {
      const tree = await prepareTree(name, folder, size);
      const lines = await runLines(tree, folder, wanted, options);
      const command = [
        `deno task bench defaults ${tree.isMade ? tree.title : "FOLDER"}`,
        `--runs ${options.runCount}`,
        ...(values.only === "" ? [] : [`--only "${values.only}"`]),
        ...(values.cross ? ["--cross"] : []),
      ].join(" ");
      const section = `## Settings, ${tree.title}\n\n${tree.fileCount} files, ${
        megabytes(tree.byteCount)
      } MB, medians of ${options.runCount} runs in turns. ${
        describeRun(command)
      }, with two workers and native hashing. Stored are packs and index.

${renderLines([HEAD, ...lines])}`;
      console.log(section);
      if (values.write && !values.small) {
        await writeSection(`settings ${tree.title} ${values.only}`, section);
      }
      if (tree.isMade) await removeTree(tree.path);
    }
  });
}
