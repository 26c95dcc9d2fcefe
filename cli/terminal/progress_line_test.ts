import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  formatProgress,
  type Pace,
  type Progress,
  ProgressLine,
} from "./progress_line.ts";

const HALF: Progress = {
  unit: "file",
  doneCount: 1000,
  totalCount: 2000,
  doneByteCount: 2 ** 20,
  totalByteCount: 2 ** 21,
  isTotalKnown: true,
};

const SETTLED: Pace = { rate: 2 ** 20, isSettled: true };

Deno.test("formatProgress: counts, rate, remaining time", () => {
  strictEqual(
    formatProgress(HALF, SETTLED),
    "1,000 of 2,000 files, 1.0 MiB of 2.0 MiB, 1.0 MiB/s, 0:01 left",
  );
  strictEqual(
    formatProgress({ ...HALF, isTotalKnown: false }, SETTLED),
    "1,000 of 2,000 files, 1.0 MiB of 2.0 MiB, 1.0 MiB/s",
  );
  strictEqual(
    formatProgress({
      unit: "file",
      doneCount: 1,
      doneByteCount: 0,
      isTotalKnown: false,
    }, { rate: 0, isSettled: true }),
    "1 file, 0 B",
  );
});

Deno.test("ProgressLine: drawn ten times a second at most, cut, cleared", () => {
  const drawn: string[] = [];
  let ms = 0;
  const line = new ProgressLine((text) => drawn.push(text), () => 20, () => ms);
  line.clear();
  line.update(HALF);
  ms = 99;
  line.update(HALF);
  ms = 100;
  line.update(HALF);
  line.clear();
  line.clear();
  deepStrictEqual(drawn, [
    "\r1,000 of 2,000 file\x1b[K",
    "\r1,000 of 2,000 file\x1b[K",
    "\r\x1b[K",
  ]);
});

/** Draws a progress that has come so far at each tenth of a second; gives what was shown. */
function drawn(...byteCounts: number[]): string[] {
  const texts: string[] = [];
  let ms = 0;
  const line = new ProgressLine(
    (text) => texts.push(text.slice(1, -3)),
    () => 80,
    () => ms,
  );
  for (const doneByteCount of byteCounts) {
    line.update({
      unit: "file",
      doneCount: 1,
      doneByteCount,
      totalByteCount: 2 ** 40,
      isTotalKnown: true,
    });
    ms += 100;
  }
  return texts;
}

Deno.test("ProgressLine: no rate in the first second, no remaining time in the first three", () => {
  const texts = drawn(...Array.from({ length: 40 }, (_, i) => i * 2 ** 30));
  strictEqual(texts.findIndex((text) => text.includes("/s")), 10);
  strictEqual(texts.findIndex((text) => text.includes("left")), 30);
  strictEqual(texts[30], "1 file, 30.0 GiB of 1.0 TiB, 10.0 GiB/s, 1:39 left");
});

Deno.test("ProgressLine: what stands still has no remaining time", () => {
  const texts = drawn(0, ...Array.from({ length: 60 }, () => 1000));
  strictEqual(texts.some((text) => text.includes("left")), false);
});

Deno.test("ProgressLine: a rate is one of ten seconds, so that it does not jump", () => {
  const steady = Array.from({ length: 200 }, (_, i) => i * 2 ** 20);
  const rates = drawn(...steady, 1000 * 2 ** 20, 1001 * 2 ** 20).slice(-3)
    .map((text) => /[\d.]+ MiB\/s/.exec(text)?.[0]);
  deepStrictEqual(rates, ["10.0 MiB/s", "90.0 MiB/s", "90.0 MiB/s"]);
});

Deno.test("formatProgress: what goes to a store far away, and comes from it", () => {
  const progress = {
    unit: "file",
    doneCount: 2,
    doneByteCount: 4096,
    isTotalKnown: false,
  };
  const pace = { rate: 0, isSettled: true };
  strictEqual(formatProgress(progress, pace), "2 files, 4.0 KiB");
  strictEqual(
    formatProgress(progress, { ...pace, sentRate: 2048, receivedRate: 512 }),
    "2 files, 4.0 KiB, up 2.0 KiB/s, down 512 B/s",
  );
});
