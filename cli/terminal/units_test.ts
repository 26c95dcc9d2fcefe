import { strictEqual } from "node:assert/strict";
import {
  formatCount,
  formatCounted,
  formatDuration,
  formatLocalTime,
  formatSize,
  parseSize,
  parseTime,
} from "./units.ts";

Deno.test("formatSize: three digits and a unit", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [102_300, "99.9 KiB"],
    [102_400, "100 KiB"],
    [1_048_576, "1.0 MiB"],
    [2 ** 40 * 3, "3.0 TiB"],
    [2 ** 53 - 1, "8.0 PiB"],
  ];
  for (const [size, text] of cases) strictEqual(formatSize(size), text);
});

Deno.test("counts and times", () => {
  strictEqual(formatCount(999), "999");
  strictEqual(formatCount(1_234_567), "1,234,567");
  strictEqual(formatCounted(1, "file"), "1 file");
  strictEqual(formatCounted(0, "entry", "entries"), "0 entries");
  strictEqual(formatDuration(7_400), "0:07");
  strictEqual(formatDuration(3_723_000), "1:02:03");
  strictEqual(formatDuration(-5), "0:00");
  strictEqual(formatLocalTime("nonsense"), "nonsense");
  strictEqual(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:18$/.test(
      formatLocalTime("2026-11-20T05:46:18.123456789Z"),
    ),
    true,
  );
});

Deno.test("parseSize: powers of 1024, and nothing else", () => {
  const cases: [string, number | undefined][] = [
    ["1000", 1000],
    ["8k", 8192],
    ["8K", 8192],
    ["4MiB", 4_194_304],
    ["1gb", 2 ** 30],
    ["", undefined],
    ["k", undefined],
    ["-1", undefined],
    ["1.5k", undefined],
    ["8kk", undefined],
  ];
  for (const [text, size] of cases) strictEqual(parseSize(text), size, text);
});

Deno.test("parseTime: days and moments of this time zone, of UTC, and how long ago", () => {
  const nowMs = 1_000_000_000;
  const local = (year: number, month: number, day: number, hour = 0, min = 0) =>
    new Date(year, month, day, hour, min).getTime();
  const cases: [string, number | undefined][] = [
    ["2026-11-30", local(2026, 10, 30)],
    ["2026-11-30 18:05", local(2026, 10, 30, 18, 5)],
    ["2026-11-30T18:05:07Z", Date.UTC(2026, 10, 30, 18, 5, 7)],
    ["2026-11-30T18:05:07.123456789Z", Date.UTC(2026, 10, 30, 18, 5, 7, 123)],
    ["90m", nowMs - 5_400_000],
    ["3d", nowMs - 3 * 86_400_000],
    ["2w", nowMs - 14 * 86_400_000],
    ["2026-13-30", undefined],
    ["2026-11", undefined],
    ["d", undefined],
    ["", undefined],
  ];
  for (const [text, ms] of cases) strictEqual(parseTime(text, nowMs), ms, text);
});
