// One case of a bench, started by _case.ts: does what its argument says and
// prints what it took, as JSON.
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { hasherNamed } from "@snap/hash/named";
import { posix, posixAbsentReason } from "@snap/posix";
import { restore } from "@snap/restore";
import { save, type SaveOptions } from "@snap/save";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  initStore,
} from "@snap/store/format";
import { openSnapshots, type Snapshots } from "@snap/snapshot";
import { type FileStore, openFileStore } from "@snap/store/file";
import type { CaseOptions, CaseResult, CaseStep, StepCost } from "./_case.ts";
import { measureReads, type ReadCosts } from "./_read_costs.ts";
import { changeTree } from "./_trees.ts";

/** How much of a tree changes between two saves. */
const CHANGED_SHARE = 0.01;

/** The clock of a save that finds no file too young to be trusted. */
const LATER: SaveOptions = { now: () => Date.now() + 60_000 };

/** Kilobytes of memory that this program has had at most since it was reset. */
function peakKilobytes(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]);
}

async function costOf(run: () => Promise<void>): Promise<StepCost> {
  writeFileSync("/proc/self/clear_refs", "5");
  const before = process.cpuUsage();
  const start = performance.now();
  await run();
  const wallSeconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  return { wallSeconds, cpuSeconds, peakBytes: peakKilobytes() * 1024 };
}

async function openStore(options: CaseOptions): Promise<Snapshots<FileStore>> {
  const store = await openFileStore(options.store, { create: true });
  await initStore(store, formatSettings(options.settings ?? DEFAULT_SETTINGS));
  return await openSnapshots(store, {
    hasher: await hasherNamed(options.hasher),
  });
}

/** Saves the tree, and sees to it that nothing was left out. */
async function saveTree(
  snapshots: Snapshots<FileStore>,
  { tree, workers }: CaseOptions,
  wanted: "all" | "nothing" | "some",
): Promise<void> {
  const result = await save(snapshots, tree, { ...LATER, workers });
  const { errors, fidelity, progress } = result;
  if (errors.length > 0) throw errors[0];
  if (fidelity !== "full") {
    throw new Error(`Cannot measure: ${posixAbsentReason}`);
  }
  if (wanted === "nothing" && progress.readFileCount > 0) {
    throw new Error(
      `Cannot measure a save of nothing: ${progress.readFileCount} files were read`,
    );
  }
  if (wanted === "some" && progress.readFileCount === 0) {
    throw new Error("Cannot measure a save of changes: nothing was read");
  }
}

async function restoreTree(
  snapshots: Snapshots<FileStore>,
  { target, workers }: CaseOptions,
): Promise<void> {
  if (target === undefined) throw new TypeError("Cannot restore to no target");
  const [record] = await snapshots.records();
  const result = await restore(snapshots, record, target, { workers });
  const { errors, writtenFileCount } = result;
  if (errors.length > 0) throw errors[0];
  const { fileCount } = record.totals;
  if (writtenFileCount === 0 || result.fileCount !== fileCount) {
    throw new Error(
      `Cannot measure a restore of ${fileCount} files: found ${result.fileCount}`,
    );
  }
}

async function sumOf(store: FileStore, prefix: string): Promise<number> {
  let sum = 0;
  for await (const batch of store.list(prefix)) {
    for (const { size } of batch) sum += size;
  }
  return sum;
}

async function runSteps(options: CaseOptions): Promise<CaseResult> {
  if (posix === undefined) throw new Error(posixAbsentReason);
  await using snapshots = await openStore(options);
  const steps: Partial<Record<CaseStep, StepCost>> = {};
  let reads: ReadCosts | undefined;
  for (const step of options.steps) {
    if (step === "reads") {
      reads = await measureReads(snapshots, options.readCount ?? 2000);
      continue;
    }
    const revert = step === "changed"
      ? changeTree(options.tree, CHANGED_SHARE)
      : undefined;
    try {
      steps[step] = await costOf(async () => {
        if (step === "restore") return await restoreTree(snapshots, options);
        const wanted = {
          save: "all",
          again: "nothing",
          changed: "some",
        } as const;
        await saveTree(snapshots, options, wanted[step]);
      });
    } finally {
      revert?.();
    }
  }
  const { store } = snapshots;
  const [record] = await snapshots.records();
  const { fileCount, byteCount } = record.totals;
  return {
    steps,
    id: record.tree,
    fileCount,
    byteCount,
    packBytes: await sumOf(store, "packs/"),
    indexBytes: await sumOf(store, "index/"),
    ...(reads === undefined ? {} : { reads }),
  };
}

console.log(JSON.stringify(await runSteps(JSON.parse(Deno.args[0]))));
