import type { Hasher, Id } from "@snap/hash";
import {
  listForgotten,
  listRecords,
  type ListRecordsOptions,
  type NamedRecord,
  SnapshotNotFoundError,
  tagLog,
} from "@snap/snapshot/records";
import type { ReadStore, StoreOptions } from "@snap/store";
import { applyRules, type RetentionGroup } from "./apply_rules.ts";
import { NothingKeptError } from "./errors.ts";
import { canKeep, type RetentionRules } from "./retention_rules.ts";
import { tagsByRecord } from "./tags_by_record.ts";

/** A store with its hasher, as `Snapshots` is one. */
export interface RetentionSource<Store extends ReadStore = ReadStore> {
  /** The store. */
  readonly store: Store;
  /** The hasher that checks ids. */
  readonly hasher: Hasher;
}

/** Options of {@linkcode planRetention}. */
export interface PlanRetentionOptions
  extends StoreOptions, Pick<ListRecordsOptions, "onDamage"> {
  /** The records that the rules are about; all if left out. Others are kept. */
  readonly select?: (record: NamedRecord) => boolean;
  /**
   * Whether rules may keep nothing of a group.
   *
   * @default {false}
   */
  readonly mayKeepNone?: boolean;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** The time zone of hours and days, as IANA names it; that of the system if left out. */
  readonly timeZone?: string;
}

/**
 * Says what rules would keep, and removes nothing. What a tag names is kept;
 * a record that cannot be read is told to `onDamage` and kept.
 *
 * @param snapshots The store.
 * @param rules The rules.
 * @param options Which records, the clock, what ends the wait.
 * @returns The groups; a record without reasons is to go.
 * @throws {NothingKeptError} If nothing of a group would be kept.
 * @throws {SnapshotNotFoundError} If a tag of the rules is not there.
 * @throws {StoreError} If the store fails.
 */
export async function planRetention(
  snapshots: RetentionSource,
  rules: RetentionRules,
  options: PlanRetentionOptions = {},
): Promise<RetentionGroup[]> {
  const { store, hasher } = snapshots;
  const { signal, onDamage, mayKeepNone = false, now = Date.now } = options;
  const { select = () => true, timeZone } = options;
  if (!mayKeepNone && !canKeep(rules)) {
    throw new NothingKeptError("Cannot forget by rules that keep nothing");
  }
  const records = await listRecords(store, { hasher, signal, onDamage });
  // Their removal was begun and is only to be finished.
  const forgotten = await listForgotten(store, { signal });
  const chosen = records.filter((one) =>
    !forgotten.has(one.record) && select(one)
  );
  const groups = applyRules(chosen, rules, {
    heads: await tagsByRecord(snapshots, { signal }),
    tagged: await taggedBy(snapshots, rules.tags ?? [], { signal }),
    nowMs: now(),
    timeZone,
  });
  const emptied = groups.find((one) =>
    one.records.every(({ reasons }) => reasons.length === 0)
  );
  if (emptied === undefined || mayKeepNone) return groups;
  const { host, source, records: all } = emptied;
  const of = [source, host && `host ${host}`].filter((one) => one !== undefined)
    .join(" on ");
  throw new NothingKeptError(
    `Cannot forget by rules that keep nothing${
      of && ` of ${of}`
    }: it has ${all.length} records`,
  );
}

/** Records that tags name or have named. */
async function taggedBy(
  snapshots: RetentionSource,
  tags: readonly string[],
  options: StoreOptions,
): Promise<Map<Id, string[]>> {
  const tagged = new Map<Id, string[]>();
  for (const tag of new Set(tags)) {
    const log = (await Array.fromAsync(tagLog(snapshots, tag, options))).flat();
    if (log.length === 0) {
      throw new SnapshotNotFoundError(tag, "there is no such tag");
    }
    const own = new Set<Id>();
    for (const { name, damage } of log) {
      // Which record it would keep is not known.
      if (damage !== undefined) throw damage;
      if (name !== undefined) own.add(name.record);
    }
    for (const id of own) tagged.set(id, [...tagged.get(id) ?? [], tag]);
  }
  return tagged;
}
