import type { PackSet } from "@snap/pack/index";
import { openObjectWriter } from "@snap/pack/write";
import { nativeEncoders } from "@snap/posix/decoders";
import type { StoreEntry } from "@snap/store";
import { listBadPacks } from "@snap/store/removal";
import type { IdSet } from "@snap/snapshot/reach";
import { PRUNE_ACTION } from "./leases.ts";
import type { Marked } from "./mark.ts";
import { planPrune, type PrunePlan } from "./plan.ts";
import { isDiskFull, replacedFiles } from "./remove.ts";
import { Repacker } from "./repack.ts";
import type { PruneRun } from "./run.ts";

/** The share of a pack that may be of no use. */
const UNUSED_MAX = 0.05;

/** What a round may remove. */
export interface Condemned {
  /** Packs of which nothing is needed that does not lie elsewhere. */
  readonly packs: readonly StoreEntry[];
  /** Index tables that others have replaced. */
  readonly tables: readonly StoreEntry[];
  /** Directories all of which lies elsewhere. */
  readonly seen: IdSet;
  /** Whether limits have left something for another round. */
  readonly isCut: boolean;
}

/** Finds out what can go, and writes again what is needed of packs that are to go. */
export async function condemn(run: PruneRun): Promise<Condemned> {
  const { storeOptions, source: { store, hasher } } = run;
  const bad = await listBadPacks(store, storeOptions);
  const tables = await replacedFiles(store, { ...storeOptions, hasher });
  const marked = await run.mark({ condemned: new Set(), bad });
  try {
    const plan = planFor(run, marked.packs, marked, bad);
    const copied = await repack(run, plan, marked);
    const { seen } = marked;
    // Once dead packs are gone there may be room to write others again.
    const isCut = plan.isCut || (run.report.isFull && plan.dead.length > 0);
    return { packs: [...plan.dead, ...copied], tables, seen, isCut };
  } finally {
    await marked[Symbol.asyncDispose]();
  }
}

/** Decides what is done with some packs. */
export function planFor(
  { options, source }: PruneRun,
  packs: PackSet,
  { marks }: Marked,
  bad: ReadonlySet<string>,
): PrunePlan {
  const { maxUnused = UNUSED_MAX, maxRepack = Infinity } = options;
  const { packSizeTarget } = source.settings;
  return planPrune(packs, marks, {
    unusedMax: maxUnused,
    repackMax: maxRepack,
    packSizeTarget,
    bad,
  });
}

/** Copies what is needed of packs; gives those of which all was copied. */
async function repack(
  run: PruneRun,
  plan: PrunePlan,
  marked: Marked,
): Promise<readonly StoreEntry[]> {
  if (plan.repacked.length === 0) return [];
  let copied: readonly StoreEntry[] = [];
  const isFull = await isDiskFull(async () => {
    copied = await copyAll(run, plan, marked);
  });
  run.report.isFull = isFull;
  return copied;
}

async function copyAll(
  run: PruneRun,
  { repacked }: PrunePlan,
  marked: Marked,
): Promise<readonly StoreEntry[]> {
  const { report, source: { store, hasher, settings } } = run;
  const { recompress, host = "", program = "" } = run.options;
  const copied: StoreEntry[] = [];
  let byteCount = 0, totalByteCount = 0;
  for (const { use } of repacked) totalByteCount += Math.round(use.byteCount);
  const writer = await openObjectWriter(store, {
    ...run.storeOptions,
    // Nobody waits for who writes no record.
    action: PRUNE_ACTION,
    host,
    program,
    saveId: run.random(16),
    hasher,
    settings: recompress === undefined
      ? settings
      : { ...settings, codec: recompress },
    mode: "copy",
    encoders: nativeEncoders,
    now: run.now,
  });
  try {
    const repacker = new Repacker({
      ...run.storeOptions,
      store,
      hasher,
      marked,
      writer,
      isRecoded: recompress !== undefined,
      onProgress: (size) => {
        byteCount += size;
        run.progress({ phase: "repack", byteCount, totalByteCount });
      },
    });
    for (const pack of repacked) {
      const error = await repacker.copy(pack);
      if (error === undefined) copied.push(pack);
      else report.damagedPacks.push({ name: pack.name, error });
    }
    await writer.finish();
  } finally {
    await writer[Symbol.asyncDispose]();
  }
  report.writtenByteCount += writer.storedByteCount;
  report.repackedPackCount += copied.length;
  return copied;
}
