import type { Id } from "@snap/hash";
import {
  checkRemovable,
  forgetRecords,
  formerRecord,
  listForgotten,
  listRecordNames,
  type RecordName,
  retreatTag,
} from "@snap/snapshot/records";
import type { PruneStore, StoreOptions } from "@snap/store";
import { NamedByTagError } from "./errors.ts";
import { tagsByRecord } from "./tags_by_record.ts";

/** Options of {@linkcode forget}. */
export interface ForgetOptions extends StoreOptions {
  /**
   * What is done with a record that a tag names: it is refused and nothing is
   * forgotten, or it is kept, or it is forgotten and the tag names again what it
   * named before.
   *
   * @default {"refuse"}
   */
  readonly whenNamed?: "refuse" | "keep" | "forget";
  /**
   * Whether only to say what would be done.
   *
   * @default {false}
   */
  readonly dryRun?: boolean;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

/** A tag whose record was forgotten. */
export interface RetreatedTag {
  /** The name of the tag. */
  readonly tag: string;
  /** What it names again; undefined if it is deleted, as nothing is left. */
  readonly name?: RecordName;
  /** Whether it was set to the record while that was forgotten. */
  readonly isMoved: boolean;
}

/** What {@linkcode forget} did, or would do. */
export interface ForgetReport {
  /** Records that were forgotten. */
  readonly forgotten: readonly RecordName[];
  /** Records that a tag names, and that were kept. */
  readonly kept: readonly RecordName[];
  /** Records that were forgotten before, and whose removal was interrupted. */
  readonly finished: readonly RecordName[];
  /** Tags that name something else now. */
  readonly tags: readonly RetreatedTag[];
}

/**
 * Forgets records: marks them, so that no copy brings them back, and removes them.
 * The objects that only they need are there until the store is pruned. A removal
 * that was interrupted is finished.
 *
 * @param snapshots The store.
 * @param records The records; those that are gone do not matter.
 * @param options What is done with those that tags name, what ends the wait.
 * @returns What was done.
 * @throws {NamedByTagError} If a tag names one of them, unless it is said what then.
 * @throws {StoreError} If the store fails, or does not let anything be removed.
 *
 * @example Forget what rules do not keep
 * ```ts
 * import { forget, parseRules, planRetention } from "@snap/maintenance/forget";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { save } from "@snap/save";
 * import { openSnapshots } from "@snap/snapshot";
 * import { DEFAULT_SETTINGS, formatSettings, initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/snap-forget-");
 * const store = new MemoryStore();
 * await initStore(store, formatSettings(DEFAULT_SETTINGS));
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * for (const text of ["one", "two", "three"]) {
 *   writeFileSync(`${folder}/file`, text);
 *   await save(snapshots, folder, { workers: 0 });
 * }
 * rmSync(folder, { recursive: true });
 *
 * const groups = await planRetention(snapshots, parseRules({ "keep-last": 1 }));
 * const gone = groups.flatMap(({ records }) => records)
 *   .filter(({ reasons }) => reasons.length === 0);
 * await forget(snapshots, gone.map(({ record }) => record), { whenNamed: "keep" });
 * strictEqual((await snapshots.records()).length, 1);
 * ```
 */
export async function forget(
  snapshots: { readonly store: PruneStore },
  records: readonly RecordName[],
  options: ForgetOptions = {},
): Promise<ForgetReport> {
  const { store } = snapshots;
  const { whenNamed = "refuse", dryRun = false, signal, now } = options;
  const there = await listRecordNames(store, { signal });
  const marked = await listForgotten(store, { signal });
  const heads = await tagsByRecord(snapshots, { signal });
  const wanted = new Set(records.map(({ record }) => record));
  const found = there.filter(({ record }) =>
    wanted.has(record) && !marked.has(record)
  );
  const kept: RecordName[] = [];
  const forgotten: RecordName[] = [];
  for (const one of found) {
    const tags = heads.get(one.record);
    if (tags !== undefined && whenNamed === "refuse") {
      throw new NamedByTagError(one, tags);
    }
    if (tags !== undefined && whenNamed === "keep") kept.push(one);
    else forgotten.push(one);
  }
  const finished = there.filter(({ record }) => marked.has(record));
  const gone = new Set([...forgotten, ...finished].map(({ record }) => record));
  const live = new Set<Id>();
  for (const { record } of there) if (!gone.has(record)) live.add(record);

  const tags: RetreatedTag[] = [];
  /** Those that name what is gone, now. */
  const retreat = async (isMoved: boolean): Promise<void> => {
    const heads = await tagsByRecord(snapshots, { signal });
    for (const [record, names] of heads) {
      if (!gone.has(record)) continue;
      for (const tag of names) {
        const name = dryRun
          ? await formerRecord(snapshots, tag, live, { signal })
          : await retreatTag(snapshots, tag, live, { signal, now });
        tags.push({ tag, ...name && { name }, isMoved });
      }
    }
  };
  if (!dryRun && gone.size > 0) await checkRemovable(store, { signal });
  await retreat(false);
  if (!dryRun) {
    await forgetRecords(store, gone, { signal, now });
    // Who has set a tag meanwhile may have looked for the record before it went.
    await retreat(true);
  }
  return { forgotten, kept, finished, tags };
}
