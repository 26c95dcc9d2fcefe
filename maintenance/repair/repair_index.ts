/**
 * Writes the index of a store again, of what its packs say.
 *
 * @module
 */
import type { DamagedPack } from "@snap/pack/index-writer";
import type { WriteStore } from "@snap/store";
import {
  openIndexedState,
  type RepairOptions,
  repairTable,
  replaceTables,
} from "@snap/pack/write";
import type { Snapshots } from "@snap/snapshot";
import { finishedSaves } from "@snap/snapshot/records";
import { verify, type VerifyProgress } from "@snap/snapshot/verify";
import { damagedTables } from "./damaged_tables.ts";

/** Options of {@linkcode repairIndex}. */
export interface RepairIndexOptions extends RepairOptions {
  /** Called while it is looked whether snapshots are whole, at most ten times a second. */
  readonly onProgress?: (progress: VerifyProgress) => void;
}

/** Result of {@linkcode repairIndex}. */
export interface RepairIndexReport {
  /** Packs that no sound table named, and that one names now. */
  readonly packCount: number;
  /** Names of damaged tables that others replace now. */
  readonly replacedTables: readonly string[];
  /** Names of damaged tables that stay: what only they tell of may be missing. */
  readonly keptTables: readonly string[];
  /** Objects that snapshots need and that no pack holds, as far as it was looked for. */
  readonly missingCount: number;
  /** Packs of saves without a record, which are in no table. */
  readonly unfinishedPackCount: number;
  /** Packs that are damaged themselves, and in no table. */
  readonly damagedPacks: readonly DamagedPack[];
}

/**
 * Writes index tables of all packs that no sound table names, and has damaged
 * tables replaced. Nothing is removed. A damaged table may be all that tells of a
 * pack that was lost: it stays where snapshots need what no pack holds.
 *
 * @param snapshots The store.
 * @param options What ends the wait.
 * @returns What was done.
 * @throws {StoreError} If the store fails.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { MemoryStore } from "@snap/store/memory";
 * import { initStore } from "@snap/store/format";
 * import { openSnapshots } from "@snap/snapshot";
 * import { repairIndex } from "@snap/maintenance/repair";
 * import { equal } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store, {});
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { packCount } = await repairIndex(snapshots);
 * equal(packCount, 0);
 * ```
 */
export async function repairIndex(
  snapshots: Snapshots<WriteStore>,
  options: RepairIndexOptions = {},
): Promise<RepairIndexReport> {
  const replaced: string[] = [];
  const damaged = new Set<string>();
  for (const name of await damagedTables(snapshots, options)) {
    if (await repairTable(name, snapshots, options) > 0) replaced.push(name);
    else damaged.add(name);
  }
  const { store, hasher } = snapshots;
  const { signal } = options;
  const { packs, indexed } = await openIndexedState(store, {
    ...options,
    hasher,
    damaged,
    finishedSaves: () => finishedSaves(store, { signal }),
  });
  await snapshots.refresh();
  const missingCount = damaged.size > 0
    ? await countMissing(snapshots, options)
    : 0;
  const damagedPacks = indexed?.damaged ?? [];
  const carrier = packs.packs()
    .filter(({ name }) => damagedPacks.every((one) => one.name !== name))
    .sort((a, b) => a.size - b.size)[0];
  if (damaged.size > 0 && missingCount === 0 && carrier !== undefined) {
    await replaceTables([...damaged], carrier, snapshots, options);
    replaced.push(...damaged);
    damaged.clear();
  }
  await store.sync(["index/"], { signal });
  await snapshots.refresh();
  return {
    packCount: indexed?.packCount ?? 0,
    replacedTables: replaced,
    keptTables: [...damaged],
    missingCount,
    unfinishedPackCount: indexed?.unfinishedCount ?? 0,
    damagedPacks,
  };
}

/** Looks whether snapshots need what no pack holds. */
async function countMissing(
  snapshots: Snapshots<WriteStore>,
  options: RepairIndexOptions,
): Promise<number> {
  const { onProgress, signal } = options;
  const { damages } = await verify(snapshots, { onProgress, signal });
  return damages.filter(({ subject, reason }) =>
    subject === "object" && reason === "missing"
  ).length;
}
