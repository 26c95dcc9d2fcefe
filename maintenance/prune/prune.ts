/**
 * Removes what no record needs, beside those who save.
 *
 * @module
 */
import { PackSet } from "@snap/pack/index";
import { LEASES_FEATURE, NotFoundError, type StoreEntry } from "@snap/store";
import { listBadPacks, readRound } from "@snap/store/removal";
import { condemn, planFor } from "./condemn.ts";
import { NoLeasesError } from "./errors.ts";
import { removeLeases, sortLeases } from "./leases.ts";
import {
  checkOptions,
  type PruneOptions,
  type PruneSource,
} from "./options.ts";
import { idIn } from "./plan.ts";
import { isDiskFull, replacedFiles } from "./remove.ts";
import type { PruneReport } from "./report.ts";
import { RoundSteps } from "./round.ts";
import { PruneRun } from "./run.ts";

/** How often it is begun anew as something is gone that was listed. */
const GONE_MAX = 3;

/**
 * Removes the packs that no record needs, and writes again what is needed of packs
 * that are needed for a small part, or are small. Others may save, read and prune
 * meanwhile. Where a run that was begun before has to be waited for, nothing is
 * removed: another call goes on.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { prune } from "@snap/maintenance/prune";
 * import { openSnapshots } from "@snap/snapshot";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store);
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { removedPackCount } = await prune(snapshots);
 * strictEqual(removedPackCount, 0);
 * await snapshots.close();
 * ```
 *
 * @param source The store.
 * @param options How much is written again, who is waited for.
 * @returns What was removed.
 * @throws {BrokenSnapshotError} If something of a snapshot is damaged or gone.
 * @throws {NoLeasesError} If writers of the store have no leases, and `singleWriter` is not set.
 * @throws {RangeError} If an option is out of bounds.
 * @throws {StoreError} If the store fails, or does not permit to remove.
 */
export async function prune(
  source: PruneSource,
  options: PruneOptions = {},
): Promise<PruneReport> {
  checkOptions(options);
  const hasLeases = (source.config.writeFeatures & LEASES_FEATURE) !== 0;
  if (!hasLeases && options.singleWriter !== true) throw new NoLeasesError();
  const run = new PruneRun(source, options);
  await (options.dryRun === true ? tell(run) : remove(run));
  return run.report;
}

/** Ends the round that is open, then takes one of its own through its steps. */
async function remove(run: PruneRun): Promise<void> {
  const { source: { store }, storeOptions } = run;
  // No step has this number: who may not remove is told so before anything is done.
  await store.remove("gc/0", storeOptions);
  const steps = new RoundSteps(run);
  let goneCount = 0;
  for (let outcome = "goes on"; outcome !== "ended";) {
    const round = await readRound(store, storeOptions);
    try {
      outcome = await (round.steps.length > 0
        ? steps.next(round)
        : begin(run, steps, round.number));
      if (outcome === "ended") {
        await removeLeftovers(run);
      }
    } catch (error) {
      storeOptions.signal?.throwIfAborted();
      const { number } = await readRound(store, storeOptions);
      // Another run goes on, and may have removed what was to be read here.
      const isOvertaken = number !== round.number ||
        (isGone(error) && ++goneCount <= GONE_MAX);
      if (!isOvertaken) throw error;
      outcome = "goes on";
    }
    if (outcome === "waits") return;
  }
  await isDiskFull(async () => await store.keepReserve?.(storeOptions));
}

/** Whether something was not there any more. */
function isGone(error: unknown): boolean {
  return error instanceof NotFoundError ||
    (error instanceof Error && error.cause instanceof NotFoundError);
}

/** Removes what needs no round. */
async function removeLeftovers(run: PruneRun): Promise<void> {
  const { source: { store, hasher }, storeOptions } = run;
  const tables = await replacedFiles(store, { ...storeOptions, hasher });
  const uploads = await store.listUploads?.(storeOptions) ?? [];
  // After these: who begins from here on opens no table that is replaced, and has
  // begun none of the uploads.
  const { ended, holders } = await sortLeases(store, storeOptions);
  await removeLeases(store, ended, storeOptions);
  const isQuiet = Object.keys(holders).length === 0;
  if (isQuiet || run.options.singleWriter) {
    for (const { name } of tables) await store.remove(name, storeOptions);
    for (const upload of uploads) await upload.abort();
  }
}

/** Begins a round if there is anything to remove. */
async function begin(
  run: PruneRun,
  steps: RoundSteps,
  last: number,
): Promise<"ended" | "goes on"> {
  const condemned = await condemn(run);
  if (condemned.packs.length === 0) return "ended";
  await steps.begin(last, condemned);
  return "goes on";
}

/** Says what would be removed. */
async function tell(run: PruneRun): Promise<void> {
  const { report, source: { store }, storeOptions } = run;
  const { condemned, steps } = await readRound(store, storeOptions);
  const bad = await listBadPacks(store, storeOptions);
  const marked = await run.mark({ condemned, bad });
  try {
    const { uses } = marked.marks;
    const isGone = ({ name }: StoreEntry): boolean =>
      condemned.has(idIn(name)) && !uses.has(name);
    const packs = marked.packs.packs();
    const left = PackSet.from(packs.filter((pack) => !isGone(pack)));
    const plan = planFor(run, left, marked, bad);
    run.tellRemoved(packs.filter(isGone));
    run.tellRemoved([...plan.dead, ...plan.repacked]);
    report.repackedPackCount = plan.repacked.length;
    for (const { use } of plan.repacked) {
      report.writtenByteCount += Math.round(use.byteCount);
    }
  } finally {
    await marked[Symbol.asyncDispose]();
  }
  if (report.removedPackCount + steps.length === 0) return;
  const { holders } = await sortLeases(store, storeOptions);
  await run.tellWaiting(Object.keys(holders));
}
