import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { before, formatDuration, parseDuration } from "./duration.ts";
import {
  canKeep,
  parseRules,
  RetentionRuleError,
  RULE_NAMES,
} from "./retention_rules.ts";

Deno.test("parseRules knows every rule, as texts and as values of a configuration", () => {
  const words = {
    "keep-last": "3",
    "keep-hourly": 24,
    "keep-daily": "7",
    "keep-weekly": "0",
    "keep-monthly": "all",
    "keep-yearly": "all",
    "keep-within": "1y6m2w3d4h",
    "keep-tag": ["release", "v1"],
    "group-by": "host",
  };
  deepStrictEqual(Object.keys(words), RULE_NAMES);
  deepStrictEqual(parseRules(words), {
    last: 3,
    periods: {
      hourly: 24,
      daily: 7,
      weekly: 0,
      monthly: Infinity,
      yearly: Infinity,
    },
    within: { years: 1, months: 6, days: 17, hours: 4 },
    tags: ["release", "v1"],
    groupBy: "host",
  });
  deepStrictEqual(parseRules({ "keep-tag": "v1" }), { tags: ["v1"] });
});

Deno.test("parseRules says what is no rule, and what no value can be", () => {
  const cases: [string, unknown, RegExp][] = [
    ["keep-dayly", 1, /^Cannot use keep-dayly: there is no such rule$/],
    ["keep-last", "-1", /^Cannot use keep-last: it takes a number from 0, or/],
    ["keep-last", 1.5, /found 1\.5$/],
    ["keep-daily", "seven", /found "seven"$/],
    ["keep-daily", true, /found true$/],
    ["keep-within", "", /it takes years, months, weeks, days and hours/],
    ["keep-within", "0d", /found "0d"$/],
    ["keep-within", "2026-13-45", /found "2026-13-45"$/],
    ["keep-within", "3d1y", /found "3d1y"$/],
    ["keep-within", 30, /found 30$/],
    ["keep-tag", "a/b", /^Cannot use keep-tag: .*a\/b/],
    ["keep-tag", [5], /it takes names of tags: found \[5\]$/],
    ["group-by", "path", /it takes one of host,source host source none/],
  ];
  for (const [rule, value, message] of cases) {
    throws(
      () => parseRules({ [rule]: value }),
      (error) => {
        strictEqual((error as RetentionRuleError).rule, rule);
        return error instanceof RetentionRuleError &&
          message.test(error.message);
      },
      `${rule} ${value}`,
    );
  }
});

Deno.test("rules that can keep nothing are known as such", () => {
  const keeping = [
    { "keep-last": 1 },
    { "keep-yearly": "all" },
    { "keep-within": "1h" },
    { "keep-tag": "main" },
  ];
  for (const words of keeping) strictEqual(canKeep(parseRules(words)), true);
  const none = { "keep-last": 0, "keep-daily": 0, "group-by": "none" };
  strictEqual(canKeep(parseRules(none)), false);
  strictEqual(canKeep({}), false);
});

Deno.test("a duration goes back by the calendar, and never past the end of a month", () => {
  const cases = [
    ["1m", "2026-03-31T12:00", "2026-02-28T12:00"],
    ["1y", "2024-02-29T12:00", "2023-02-28T12:00"],
    ["1y6m", "2026-11-30T08:00", "2025-05-30T08:00"],
    ["2w", "2026-03-01T08:00", "2026-02-15T08:00"],
    ["1d12h", "2026-03-01T08:00", "2026-02-27T20:00"],
  ];
  for (const [text, from, to] of cases) {
    const ms = before(Date.parse(`${from}Z`), parseDuration(text)!);
    strictEqual(ms, Date.parse(`${to}Z`), text);
  }
  strictEqual(formatDuration(parseDuration("1y6m2w3d4h")!), "1y6m17d4h");
});
