import { checkTagName } from "@snap/store";
import { type Duration, parseDuration } from "./duration.ts";

/** Periods of which the newest record is kept, and the shortest first. */
export const PERIODS = [
  "hourly",
  "daily",
  "weekly",
  "monthly",
  "yearly",
] as const;

/** A period of which the newest record is kept. */
export type Period = (typeof PERIODS)[number];

/** What makes a group: records are kept and removed in each for itself. */
export type GroupBy = "host,source" | "host" | "source" | "none";

const GROUPS: readonly GroupBy[] = ["host,source", "host", "source", "none"];

/** Rules that say what is kept. A record that one of them keeps is kept. */
export interface RetentionRules {
  /** So many, the newest; `Infinity` for all. */
  readonly last?: number;
  /** The newest of so many periods that have one; `Infinity` for all. */
  readonly periods?: Readonly<Partial<Record<Period, number>>>;
  /** All that are no older than this before the newest. */
  readonly within?: Duration;
  /** All that these tags name, or have named. */
  readonly tags?: readonly string[];
  /**
   * What makes a group.
   *
   * @default {"host,source"}
   */
  readonly groupBy?: GroupBy;
}

/** Names of rules, as options and as keys of a configuration. */
export const RULE_NAMES: readonly string[] = [
  "keep-last",
  ...PERIODS.map((period) => `keep-${period}`),
  "keep-within",
  "keep-tag",
  "group-by",
];

/** A rule that is none: an unknown name, or a value that cannot be. */
export class RetentionRuleError extends RangeError {
  /** The name of the rule. */
  readonly rule: string;
  /** What is wrong with it. */
  readonly reason: string;

  /** Made by {@linkcode parseRules}. */
  constructor(rule: string, reason: string) {
    super(`Cannot use ${rule}: ${reason}`);
    this.name = "RetentionRuleError";
    this.rule = rule;
    this.reason = reason;
  }
}

/**
 * Reads rules, as a command line or a configuration has them.
 *
 * @param words For the names of {@linkcode RULE_NAMES} their values: a number from
 * 0 or `all`, of `keep-within` a text such as `1y6m` or `30d`, of `keep-tag` a
 * list of tags or one.
 * @returns The rules.
 * @throws {RetentionRuleError} If a name is unknown, or a value cannot be.
 *
 * @example Rules of a night
 * ```ts
 * import { parseRules } from "@snap/maintenance/forget";
 * import { deepStrictEqual, throws } from "node:assert/strict";
 *
 * const rules = parseRules({ "keep-last": "3", "keep-daily": 7, "keep-yearly": "all" });
 * deepStrictEqual(rules, { last: 3, periods: { daily: 7, yearly: Infinity } });
 * throws(() => parseRules({ "keep-dayly": 7 }), /there is no such rule/);
 * ```
 */
export function parseRules(
  words: Readonly<Record<string, unknown>>,
): RetentionRules {
  const rules: { -readonly [Name in keyof RetentionRules]: unknown } = {};
  const periods: Record<string, number> = {};
  for (const [name, value] of Object.entries(words)) {
    const period = PERIODS.find((one) => name === `keep-${one}`);
    if (period !== undefined) periods[period] = countOf(name, value);
    else if (name === "keep-last") rules.last = countOf(name, value);
    else if (name === "keep-within") rules.within = durationOf(name, value);
    else if (name === "keep-tag") rules.tags = tagsOf(name, value);
    else if (name === "group-by") rules.groupBy = groupByOf(name, value);
    else throw new RetentionRuleError(name, "there is no such rule");
  }
  if (Object.keys(periods).length > 0) rules.periods = periods;
  return rules as RetentionRules;
}

/** Whether rules can keep something. */
export function canKeep(rules: RetentionRules): boolean {
  const { last = 0, periods = {}, within, tags = [] } = rules;
  return last > 0 || Object.values(periods).some((count) => count > 0) ||
    within !== undefined || tags.length > 0;
}

function countOf(name: string, value: unknown): number {
  if (value === "all") return Infinity;
  const isText = typeof value === "string" && /^\d{1,9}$/.test(value);
  const count = isText ? Number(value) : value;
  if (Number.isSafeInteger(count) && count as number >= 0) {
    return count as number;
  }
  throw wrong(name, value, "a number from 0, or all");
}

function durationOf(name: string, value: unknown): Duration {
  const duration = typeof value === "string" ? parseDuration(value) : undefined;
  if (duration !== undefined) return duration;
  throw wrong(
    name,
    value,
    "years, months, weeks, days and hours such as 1y6m, 30d or 12h",
  );
}

function tagsOf(name: string, value: unknown): readonly string[] {
  const tags: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const tag of tags) {
    if (typeof tag !== "string") throw wrong(name, value, "names of tags");
    try {
      checkTagName(tag);
    } catch (error) {
      throw new RetentionRuleError(name, (error as Error).message);
    }
  }
  return tags as readonly string[];
}

function groupByOf(name: string, value: unknown): GroupBy {
  const found = GROUPS.find((one) => one === value);
  if (found !== undefined) return found;
  throw wrong(name, value, "one of host,source host source none");
}

function wrong(name: string, value: unknown, need: string): RetentionRuleError {
  const found = JSON.stringify(value) ?? typeof value;
  return new RetentionRuleError(name, `it takes ${need}: found ${found}`);
}
