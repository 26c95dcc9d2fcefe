import type { Id } from "@snap/hash";
import { type NamedRecord, parseTime } from "@snap/snapshot/records";
import { before, formatDuration } from "./duration.ts";
import { LocalPeriods, type PeriodNames } from "./local_periods.ts";
import {
  canKeep,
  type GroupBy,
  PERIODS,
  type RetentionRules,
} from "./retention_rules.ts";

/** A record, and whatever keeps it. */
export interface Retained {
  /** The record. */
  readonly record: NamedRecord;
  /** What keeps it: `last`, `daily`, `oldest yearly`, `named by main` and so on; it goes if there is nothing. */
  readonly reasons: readonly string[];
}

/** Records that are kept and removed for themselves. */
export interface RetentionGroup {
  /** The host, if it makes groups. */
  readonly host?: string;
  /** The path that was saved, if it makes groups. */
  readonly source?: string;
  /** The records, newest first. */
  readonly records: readonly Retained[];
}

/** Facts beside the records. */
export interface RetentionFacts {
  /** What the clock says, in milliseconds since 1970. */
  readonly nowMs: number;
  /** The time zone of hours and days, as IANA names it; that of the system if left out. */
  readonly timeZone?: string;
  /** By record: tags that name it. */
  readonly heads: ReadonlyMap<Id, readonly string[]>;
  /** By record: tags of {@linkcode RetentionRules.tags} that name it, or have named it. */
  readonly tagged: ReadonlyMap<Id, readonly string[]>;
}

/** A record with its time. */
interface Dated {
  readonly record: NamedRecord;
  readonly ms: number;
  readonly reasons: string[];
}

/**
 * Says of each record what keeps it. Nothing is read and nothing removed.
 *
 * In each group the newest record of a period is kept, for as many periods as the
 * rule says; while it says more than there are, the oldest record of all is, too.
 * Records that are later than now are kept and count for no rule. Where a rule
 * counts, the newest record that is complete is kept beside those.
 *
 * @param records The records, in any order.
 * @param rules The rules.
 * @param facts Clock, time zone, tags.
 * @returns The groups, by host and source.
 *
 * @example The newest of each of two days
 * ```ts
 * import { applyRules, parseRules } from "@snap/maintenance/forget";
 * import type { NamedRecord } from "@snap/snapshot/records";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const times = ["2026-11-30T09", "2026-11-30T08", "2026-11-29T08", "2026-11-28T08"];
 * const records = times.map((time, i) => ({
 *   record: `${i}`,
 *   time: `${time}:00:00.000000000Z`,
 *   host: "here",
 *   source: "/data",
 *   unreadable: { count: 0, first: [] },
 * }) as unknown as NamedRecord);
 * const [{ records: retained }] = applyRules(records, parseRules({ "keep-daily": 2 }), {
 *   nowMs: Date.UTC(2026, 11, 1),
 *   timeZone: "UTC",
 *   heads: new Map(),
 *   tagged: new Map(),
 * });
 * deepStrictEqual(retained.map(({ reasons }) => reasons), [["daily"], [], ["daily"], []]);
 * ```
 */
export function applyRules(
  records: readonly NamedRecord[],
  rules: RetentionRules,
  facts: RetentionFacts,
): RetentionGroup[] {
  const { groupBy = "host,source" } = rules;
  const groups = new Map<string, Dated[]>();
  for (const record of [...records].sort(newestFirst)) {
    const key = JSON.stringify(keyOf(record, groupBy));
    const dated = { record, ms: msOf(record), reasons: [] };
    const same = groups.get(key);
    if (same === undefined) groups.set(key, [dated]);
    else same.push(dated);
  }
  const periods = new LocalPeriods(facts.timeZone);
  return [...groups].sort(([a], [b]) => a < b ? -1 : 1).map(([key, group]) => {
    retain(group, rules, facts, periods);
    const kept = group.map(({ record, reasons }) => ({ record, reasons }));
    return { ...JSON.parse(key) as Key, records: kept };
  });
}

interface Key {
  readonly host?: string;
  readonly source?: string;
}

function keyOf({ host, source }: NamedRecord, groupBy: GroupBy): Key {
  return {
    ...groupBy.startsWith("host") && { host },
    ...groupBy.endsWith("source") && { source },
  };
}

function retain(
  group: readonly Dated[],
  rules: RetentionRules,
  { nowMs, heads, tagged }: RetentionFacts,
  periods: LocalPeriods,
): void {
  const past = group.filter(({ ms }) => ms <= nowMs);
  for (const one of group) {
    if (one.ms > nowMs) one.reasons.push("later than now");
  }
  keepLast(past, rules);
  keepPeriods(past, rules, periods);
  keepWithin(past, rules);
  const { tags: _, groupBy: __, ...counting } = rules;
  const complete = past.find(({ record }) => record.unreadable.count === 0);
  if (canKeep(counting) && complete?.reasons.length === 0) {
    complete.reasons.push("last complete");
  }
  for (const { record, reasons } of group) {
    for (const tag of tagged.get(record.record) ?? []) {
      reasons.push(`tag ${tag}`);
    }
    for (const tag of heads.get(record.record) ?? []) {
      reasons.push(`named by ${tag}`);
    }
  }
}

function keepLast(past: readonly Dated[], { last = 0 }: RetentionRules): void {
  for (const { reasons } of past.slice(0, last)) reasons.push("last");
}

function keepPeriods(
  past: readonly Dated[],
  { periods: counts = {} }: RetentionRules,
  periods: LocalPeriods,
): void {
  const wanted = PERIODS.filter((period) => counts[period] !== undefined);
  if (wanted.length === 0) return;
  const names = past.map(({ ms }): PeriodNames => periods.of(ms));
  for (const period of wanted) {
    let left = counts[period]!;
    let name: string | undefined;
    for (let at = 0; at < past.length && left > 0; at++) {
      const isNew = names[at][period] !== name;
      const isOldest = at === past.length - 1;
      if (!isNew && !isOldest) continue;
      past[at].reasons.push(isNew ? period : `oldest ${period}`);
      name = names[at][period];
      left--;
    }
  }
}

/** From the newest on and not from now: who has long not saved keeps something. */
function keepWithin(
  past: readonly Dated[],
  { within }: RetentionRules,
): void {
  if (within === undefined || past.length === 0) return;
  const since = before(past[0].ms, within);
  const reason = `within ${formatDuration(within)}`;
  for (const { ms, reasons } of past) if (ms >= since) reasons.push(reason);
}

function msOf({ time }: NamedRecord): number {
  const { sec, ns } = parseTime(time);
  return sec * 1000 + ns / 1_000_000;
}

function newestFirst(a: NamedRecord, b: NamedRecord): number {
  if (a.time !== b.time) return a.time < b.time ? 1 : -1;
  return a.record < b.record ? 1 : -1;
}
