import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type Id, parseId } from "@snap/hash";
import type { NamedRecord } from "@snap/snapshot/records";
import { applyRules, type RetentionFacts } from "./apply_rules.ts";
import { parseRules } from "./retention_rules.ts";

const FACTS: RetentionFacts = {
  nowMs: Date.parse("2026-12-01T00:00Z"),
  timeZone: "UTC",
  heads: new Map(),
  tagged: new Map(),
};

function idOf(number: number): Id {
  return parseId(String(number).padStart(64, "0"));
}

/** Records of these times, whose ids count up from 0. */
function recordsOf(
  times: readonly string[],
  fields: Partial<NamedRecord> = {},
): NamedRecord[] {
  return times.map((time, i) =>
    ({
      record: idOf(i),
      time: `${time}:00.000000000Z`,
      host: "here",
      source: "/data",
      unreadable: { count: 0, first: [] },
      ...fields,
    }) as NamedRecord
  );
}

/** What keeps each record of one group, newest first. */
function reasons(
  records: readonly NamedRecord[],
  words: Record<string, unknown>,
  facts: Partial<RetentionFacts> = {},
): string[] {
  const rules = parseRules({ "group-by": "none", ...words });
  const groups = applyRules(records, rules, { ...FACTS, ...facts });
  strictEqual(groups.length, 1);
  return groups[0].records.map(({ reasons }) => reasons.join(", "));
}

Deno.test("the newest of each period is kept, and while a rule has more, the oldest of all", () => {
  const times = [
    "2026-11-30T23:30",
    "2026-11-30T23:10",
    "2026-11-30T08:00",
    "2026-11-29T08:00",
    "2026-10-31T08:00",
    "2025-10-31T08:00",
    "2025-01-01T08:00",
  ];
  const records = recordsOf(times);
  const cases: [Record<string, unknown>, string[]][] = [
    [{ "keep-last": 2 }, ["last", "last", "", "", "", "", ""]],
    [{ "keep-hourly": 2 }, ["hourly", "", "hourly", "", "", "", ""]],
    [{ "keep-daily": 2 }, ["daily", "", "", "daily", "", "", ""]],
    [{ "keep-weekly": 2 }, ["weekly", "", "", "weekly", "", "", ""]],
    [{ "keep-monthly": 2 }, ["monthly", "", "", "", "monthly", "", ""]],
    [{ "keep-yearly": 1 }, ["yearly", "", "", "", "", "", ""]],
    [
      { "keep-yearly": "all" },
      ["yearly", "", "", "", "", "yearly", "oldest yearly"],
    ],
    [
      { "keep-within": "1m" },
      [...Array(5).fill("within 1m"), "", ""],
    ],
    [
      { "keep-last": 1, "keep-daily": 1 },
      ["last, daily", "", "", "", "", "", ""],
    ],
    [{ "keep-last": 0, "keep-daily": 0 }, ["", "", "", "", "", "", ""]],
  ];
  for (const [words, expected] of cases) {
    deepStrictEqual(reasons(records, words), expected, JSON.stringify(words));
    // The order in which they come does not matter.
    deepStrictEqual(reasons(records.toReversed(), words), expected);
  }
});

Deno.test("days and hours are those of the clock on the wall, also when it is set back", () => {
  // Midnight in Auckland is 11:00 in UTC.
  const days = recordsOf([
    "2026-11-30T11:30",
    "2026-11-30T10:30",
    "2026-11-29T11:30",
  ]);
  const rule = { "keep-daily": 2 };
  deepStrictEqual(reasons(days, rule), ["daily", "", "daily"]);
  const there = { timeZone: "Pacific/Auckland" };
  deepStrictEqual(reasons(days, rule, there), ["daily", "daily", ""]);
  // In Berlin 02:30 comes twice on 25 October 2026.
  const hours = recordsOf(["2026-10-25T01:30", "2026-10-25T00:30"]);
  const hourly = { "keep-hourly": 1 };
  deepStrictEqual(reasons(hours, hourly), ["hourly", ""]);
  const berlin = { timeZone: "Europe/Berlin" };
  deepStrictEqual(reasons(hours, { "keep-hourly": 2 }, berlin), [
    "hourly",
    "oldest hourly",
  ]);
});

Deno.test("weeks begin on Monday, and belong to the year of their Thursday", () => {
  // 29 December 2025 to 4 January 2026 are week 1 of 2026.
  const records = recordsOf([
    "2026-01-05T00:00",
    "2026-01-04T23:59",
    "2026-01-01T00:00",
    "2025-12-29T00:00",
    "2025-12-28T23:59",
    "2025-12-22T00:00",
  ]);
  deepStrictEqual(reasons(records, { "keep-weekly": 3 }), [
    "weekly",
    "weekly",
    "",
    "",
    "weekly",
    "",
  ]);
});

Deno.test("a record that is later than now is kept, and counts for no rule", () => {
  const records = recordsOf([
    "2036-01-01T00:00",
    "2026-12-01T00:01",
    "2026-11-30T00:00",
    "2026-11-01T00:00",
  ]);
  deepStrictEqual(reasons(records, { "keep-last": 1 }), [
    "later than now",
    "later than now",
    "last",
    "",
  ]);
  deepStrictEqual(reasons(records, { "keep-within": "1w" }), [
    "later than now",
    "later than now",
    "within 7d",
    "",
  ]);
});

Deno.test("incomplete saves do not displace the last complete one", () => {
  const records = recordsOf([
    "2026-11-30T03:00",
    "2026-11-30T02:00",
    "2026-11-29T01:00",
    "2026-11-28T01:00",
  ]).map((record, i) =>
    i < 2 ? { ...record, unreadable: { count: 1, first: ["x"] } } : record
  );
  deepStrictEqual(reasons(records, { "keep-last": 1 }), [
    "last",
    "",
    "last complete",
    "",
  ]);
  deepStrictEqual(reasons(records, { "keep-within": "2h" }), [
    "within 2h",
    "within 2h",
    "last complete",
    "",
  ]);
  deepStrictEqual(reasons(records, { "keep-last": 3 }), [
    "last",
    "last",
    "last",
    "",
  ]);
  const tagged = new Map([[idOf(3), ["v1"]]]);
  deepStrictEqual(reasons(records, { "keep-tag": "v1" }, { tagged }), [
    "",
    "",
    "",
    "tag v1",
  ]);
});

Deno.test("what a tag names is kept, whatever the rules say", () => {
  const records = recordsOf(["2026-11-30T03:00", "2026-11-29T03:00"]);
  const heads = new Map([[idOf(1), ["main", "old"]]]);
  deepStrictEqual(reasons(records, { "keep-last": 1 }, { heads }), [
    "last",
    "named by main, named by old",
  ]);
});

Deno.test("each group is kept for itself, and groups are by host and source unless said", () => {
  const records = [
    ...recordsOf(["2026-11-30T03:00", "2026-11-29T03:00"]),
    ...recordsOf(["2026-11-28T03:00"], { host: "there" }),
    ...recordsOf(["2026-11-27T03:00"], { source: "/other" }),
  ];
  const groups = (groupBy: string) =>
    applyRules(
      records,
      parseRules({ "keep-last": 1, "group-by": groupBy }),
      FACTS,
    ).map(({ host, source, records }) => [
      host,
      source,
      records.map(({ reasons }) => reasons.length).join(""),
    ]);
  deepStrictEqual(groups("host,source"), [
    ["here", "/data", "10"],
    ["here", "/other", "1"],
    ["there", "/data", "1"],
  ]);
  deepStrictEqual(groups("host"), [
    ["here", undefined, "100"],
    ["there", undefined, "1"],
  ]);
  deepStrictEqual(groups("source"), [
    [undefined, "/data", "100"],
    [undefined, "/other", "1"],
  ]);
  deepStrictEqual(groups("none"), [[undefined, undefined, "1000"]]);
  const rules = parseRules({ "keep-last": 1 });
  strictEqual(applyRules(records, rules, FACTS).length, 3);
  deepStrictEqual(applyRules([], rules, FACTS), []);
});
