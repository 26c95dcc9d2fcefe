import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  formatProgress,
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

Deno.test("formatProgress: counts, rate, remaining time", () => {
  strictEqual(
    formatProgress(HALF, 2 ** 20),
    "1,000 of 2,000 files, 1.0 MiB of 2.0 MiB, 1.0 MiB/s, 0:01 left",
  );
  strictEqual(
    formatProgress({ ...HALF, isTotalKnown: false }, 2 ** 20),
    "1,000 of 2,000 files, 1.0 MiB of 2.0 MiB, 1.0 MiB/s",
  );
  strictEqual(
    formatProgress({
      unit: "file",
      doneCount: 1,
      doneByteCount: 0,
      isTotalKnown: false,
    }, 0),
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
