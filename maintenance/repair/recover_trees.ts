/**
 * Finds snapshots that no record names.
 *
 * @module
 */
import { ID_SIZE, idFromBytes } from "@snap/hash";
import type { RepairOptions } from "@snap/pack/write";
import type { Snapshots } from "@snap/snapshot";
import type { NamedRecord, RecordFile } from "@snap/snapshot/records";
import type { WriteStore } from "@snap/store";
import {
  recordMended,
  type RecordRest,
  sampleOf,
  withMender,
} from "./mend_run.ts";
import {
  type FoundRoot,
  type RecoverProgress,
  RootSearch,
} from "./root_search.ts";
import type { LostEntries } from "./tree_mender.ts";

/** Options of {@linkcode recoverTrees}. */
export interface RecoverTreesOptions extends RepairOptions {
  /** Ids of trees, or how they begin: only these; all that are found if left out. */
  readonly trees?: readonly string[];
  /**
   * Whether trees of saves that were killed count, too: of packs that no index table names.
   *
   * @default {false}
   */
  readonly unfinished?: boolean;
  /**
   * Whether nothing is written, and only told what would be.
   *
   * @default {false}
   */
  readonly dryRun?: boolean;
  /** The program that recovers, for the records. */
  readonly program?: string;
  /** Called after each pack with trees. */
  readonly onProgress?: (progress: RecoverProgress) => void;
}

/** A tree that no record named. */
export interface RecoveredTree {
  /** The id of the tree. */
  readonly root: string;
  /** The id of what is left of it: the same if nothing is lost. */
  readonly tree: string;
  /** When something in its top directory changed last, RFC 3339: the save was not before. */
  readonly time: string;
  /** Entries of its top directory. */
  readonly entryCount: number;
  /** What is lost of it, and so is not in it. */
  readonly lost: LostEntries;
  /** Its record; undefined in a dry run. */
  readonly record?: NamedRecord;
}

/** Result of {@linkcode recoverTrees}. */
export interface RecoverTreesReport {
  /** Packs with trees that were read. */
  readonly packCount: number;
  /** The trees, those that changed last first. */
  readonly trees: readonly RecoveredTree[];
}

/**
 * Looks for trees that no record names and no other directory has, as the root of a
 * snapshot whose record is damaged or was forgotten, and writes a record of each:
 * without what is lost, which the record names as not read. Nothing is known of who
 * saved it, and when: its source is `recovered`, its time that of the last change in
 * the top directory.
 *
 * @param snapshots The store.
 * @param options Which trees, and whether anything is written.
 * @returns What was found and written.
 * @throws {StoreError} If the store fails.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { recoverTrees } from "@snap/maintenance/repair";
 * import { openSnapshots } from "@snap/snapshot";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store, {});
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { trees } = await recoverTrees(snapshots, { dryRun: true });
 * strictEqual(trees.length, 0);
 * ```
 */
export async function recoverTrees(
  snapshots: Snapshots<WriteStore>,
  options: RecoverTreesOptions = {},
): Promise<RecoverTreesReport> {
  const { signal, dryRun = false } = options;
  const damaged: RecordFile[] = [];
  const records = await snapshots.records({
    signal,
    onDamage: (file) => damaged.push(file),
  });
  const search = new RootSearch(snapshots, { records, damaged }, options);
  const { packCount, roots } = await search.run();
  const known = new Set<string>(records.map(({ tree, page }) => tree + page));
  const found = await withMender(snapshots, options, async (mend) => {
    const found = new Map<string, RecoveredTree & { at: FoundRoot }>();
    for (const at of roots) {
      const { tree: root, time, entryCount } = at;
      const isWanted = options.trees?.some((start) => root.startsWith(start));
      if (isWanted === false) continue;
      const left = await mend(at);
      if (left === undefined) continue;
      const { ids, lost } = left;
      const tree = idFromBytes(ids), page = idFromBytes(ids, ID_SIZE);
      const key = tree + page;
      if (known.has(key)) continue;
      // A run that was killed may have left what is left of another tree, which knows more.
      const isNews = lost.count > (found.get(key)?.lost.count ?? -1);
      if (isNews) found.set(key, { at, root, tree, time, entryCount, lost });
    }
    return [...found.values()];
  });
  const tasks = found.map(({ at }) => ({
    root: at,
    rest: (lost: LostEntries) => recordOf(at, lost, options),
  }));
  const written = dryRun ? [] : await recordMended(snapshots, options, tasks);
  const trees = found.map(({ at: _, ...tree }, i): RecoveredTree => {
    const record = written[i];
    return { ...tree, ...(record && { record }) };
  });
  return { packCount, trees };
}

/** What a record says of a tree of which nothing else is known. */
function recordOf(
  { time }: FoundRoot,
  lost: LostEntries,
  { program = "snap" }: RecoverTreesOptions,
): RecordRest {
  return {
    ...{ time, startTime: time, host: "", user: "", source: "recovered" },
    unreadable: sampleOf(lost),
    changed: { count: 0, first: [] },
    fidelity: lost.attributeCount > 0 ? "reduced" : "full",
    program,
  };
}
