/**
 * Writes records of what is left of snapshots from which something is lost.
 *
 * @module
 */
import { ID_SIZE, idFromBytes } from "@snap/hash";
import type { RepairOptions } from "@snap/pack/write";
import type { Snapshots } from "@snap/snapshot";
import type { NamedRecord, RecordFile } from "@snap/snapshot/records";
import type { WriteStore } from "@snap/store";
import { PATH_SAMPLE_MAX } from "@snap/store/format";
import { justAfter } from "../just_after.ts";
import {
  hasLost,
  recordMended,
  type RecordRest,
  sampleOf,
  withMender,
} from "./mend_run.ts";
import type { LostEntries, MendedDirectory } from "./tree_mender.ts";

/** Options of {@linkcode repairSnapshots}. */
export interface RepairSnapshotsOptions extends RepairOptions {
  /** The records; all of the store if left out. */
  readonly records?: readonly NamedRecord[];
  /**
   * Whether nothing is written, and only told what would be.
   *
   * @default {false}
   */
  readonly dryRun?: boolean;
  /** The program that repairs, for the records; that of the old record if left out. */
  readonly program?: string;
  /** Called after each record. */
  readonly onProgress?: (progress: RepairSnapshotsProgress) => void;
}

/** Progress of {@linkcode repairSnapshots}. */
export interface RepairSnapshotsProgress {
  /** Records that were looked through. */
  readonly recordCount: number;
  /** Records to look through. */
  readonly recordTotal: number;
}

/** A snapshot from which something is lost. */
export interface RepairedSnapshot {
  /** Its record, which stays. */
  readonly old: NamedRecord;
  /** The id of what is left of it; undefined if its root is lost. */
  readonly tree?: string;
  /** The record of what is left; undefined if its root is lost, and in a dry run. */
  readonly record?: NamedRecord;
  /** Whether an earlier repair has written that record. */
  readonly isKnown: boolean;
  /** What is lost; everything if the root is. */
  readonly lost: LostEntries;
}

/** Result of {@linkcode repairSnapshots}. */
export interface RepairSnapshotsReport {
  /** Records that were looked through. */
  readonly recordCount: number;
  /** Those from which something is lost. */
  readonly snapshots: readonly RepairedSnapshot[];
  /** Files of records that cannot be read. `recoverTrees` finds what they have named. */
  readonly unreadable: readonly RecordFile[];
}

/**
 * Looks for snapshots from which something is lost, and writes a record of what is
 * left of each: without files and directories that cannot be had, which the record
 * names as not read. Such a record says which it mends (`repairOf`), and its time is a
 * nanosecond later. The old one stays until it is forgotten. Content of which the
 * store does not know that it is damaged is not read: `repairPacks` comes first.
 *
 * @param snapshots The store.
 * @param options Which records, and whether anything is written.
 * @returns What was found and written.
 * @throws {StoreError} If the store fails.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { repairSnapshots } from "@snap/maintenance/repair";
 * import { openSnapshots } from "@snap/snapshot";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store, {});
 * const opened = await openSnapshots(store, { hasher: wasmHasher });
 * const { snapshots } = await repairSnapshots(opened);
 * strictEqual(snapshots.length, 0);
 * ```
 */
export async function repairSnapshots(
  snapshots: Snapshots<WriteStore>,
  options: RepairSnapshotsOptions = {},
): Promise<RepairSnapshotsReport> {
  const { signal, dryRun = false } = options;
  const unreadable: RecordFile[] = [];
  const all = await snapshots.records({
    signal,
    onDamage: (file) => unreadable.push(file),
  });
  const chosen = options.records ?? all;
  const found = await withMender(snapshots, options, async (mend) => {
    const found: FoundSnapshot[] = [];
    for (const [i, old] of chosen.entries()) {
      const left = await mend(old);
      if (left === undefined || hasLost(left)) {
        found.push({ old, left, known: left && findRepair(all, old, left) });
      }
      const recordCount = i + 1, recordTotal = chosen.length;
      options.onProgress?.({ recordCount, recordTotal });
    }
    return found;
  });
  const tasks = found.flatMap(({ old, left, known }) => {
    if (dryRun || left === undefined || known !== undefined) return [];
    const rest = (lost: LostEntries) => repairOf(old, lost, options);
    return [{ root: old, rest }];
  });
  const records = (await recordMended(snapshots, options, tasks)).values();
  const repaired = found.map(({ old, left, known }): RepairedSnapshot => {
    if (left === undefined) return { old, isKnown: false, lost: ALL };
    const { ids, lost } = left;
    const isKnown = known !== undefined;
    const record = known ?? (dryRun ? undefined : records.next().value);
    const tree = idFromBytes(ids);
    return { ...{ old, tree, lost, isKnown }, ...(record && { record }) };
  });
  return { recordCount: chosen.length, snapshots: repaired, unreadable };
}

/** A snapshot from which something is lost. */
interface FoundSnapshot {
  readonly old: NamedRecord;
  readonly left: MendedDirectory | undefined;
  /** The record of what is left, if there is one. */
  readonly known: NamedRecord | undefined;
}

/** What is lost with a root. */
const ALL: LostEntries = {
  count: 1,
  paths: [new Uint8Array(0)],
  attributeCount: 0,
};

function findRepair(
  records: readonly NamedRecord[],
  old: NamedRecord,
  { ids }: MendedDirectory,
): NamedRecord | undefined {
  const tree = idFromBytes(ids), page = idFromBytes(ids, ID_SIZE);
  return records.find((one) =>
    one.repairOf === old.record && one.tree === tree && one.page === page
  );
}

/** What a record says of what is left, but for the ids and totals. */
function repairOf(
  old: NamedRecord,
  lost: LostEntries,
  { program }: RepairSnapshotsOptions,
): RecordRest {
  const { time, startTime, host, user, source, message, changed } = old;
  const { unreadable, fidelity } = old;
  return {
    time: justAfter(time),
    ...{ startTime, host, user, source, changed },
    ...(message !== undefined && { message }),
    unreadable: {
      count: lost.count + unreadable.count,
      first: [...sampleOf(lost).first, ...unreadable.first]
        .slice(0, PATH_SAMPLE_MAX),
    },
    fidelity: lost.attributeCount > 0 ? "reduced" : fidelity,
    program: program ?? old.program,
    repairOf: old.record,
  };
}
