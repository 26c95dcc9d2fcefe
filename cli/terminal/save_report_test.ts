import { equal } from "node:assert/strict";
import type { SaveResult } from "@snap/save";
import { summarizeSave } from "./save_report.ts";

const KIB = 1024;

/** What a save did that found one file, and nothing new. */
function result(change: {
  readonly newObjectCount?: number;
  readonly newByteCount?: number;
  readonly [field: string]: unknown;
}): SaveResult {
  const { newObjectCount = 0, newByteCount = 0, ...fields } = change;
  return {
    totals: { fileCount: 13, byteCount: 5 * KIB },
    progress: { readFileCount: 2, newObjectCount, newByteCount },
    record: {},
    isNewRecord: true,
    hasNewAttributesOnly: false,
    storedByteCount: 0,
    indexByteCount: 0,
    errorCount: 0,
    changedCount: 0,
    ...fields,
  } as unknown as SaveResult;
}

const CASES: readonly [expected: string, SaveResult][] = [
  [
    "Saved 13 files, 5.0 KiB: nothing new; 2 read, 0:07",
    result({ isNewRecord: false }),
  ],
  [
    "Saved 13 files, 5.0 KiB: 3 new objects, 4.0 KiB, stored in 2.0 KiB, index of 8.0 KiB; 2 read, 0:07",
    result({
      newObjectCount: 3,
      newByteCount: 4 * KIB,
      storedByteCount: 2 * KIB,
      indexByteCount: 8 * KIB,
    }),
  ],
  [
    "Saved 13 files, 5.0 KiB: no new content, stored in 1.0 KiB, index of 3.6 MiB; 2 read, 0:07",
    result({ storedByteCount: KIB, indexByteCount: 3.6 * KIB * KIB }),
  ],
  [
    "Saved 13 files, 5.0 KiB: nothing changed, and stored again what was missing: 1 new object, 10 B, stored in 3.0 MiB; 2 read, 0:07",
    result({
      isNewRecord: false,
      newObjectCount: 1,
      newByteCount: 10,
      storedByteCount: 3 * KIB * KIB,
    }),
  ],
  [
    "Saved 13 files, 5.0 KiB: nothing changed, and stored again what was missing: index of 3.0 MiB; 2 read, 0:07",
    result({ isNewRecord: false, indexByteCount: 3 * KIB * KIB }),
  ],
  [
    "Saved 13 files, 5.0 KiB: new attributes, stored in 300 B; 2 read, 0:07",
    result({ hasNewAttributesOnly: true, storedByteCount: 300 }),
  ],
  [
    "Saved 13 files, 5.0 KiB: nothing new; 2 read, 1,200 could not be read, 1 changed, 0:07",
    result({ isNewRecord: false, errorCount: 1200, changedCount: 1 }),
  ],
  [
    "Would save 13 files, 5.0 KiB: 3 new objects, 4.0 KiB; 2 read, 0:07",
    result({
      record: undefined,
      isNewRecord: false,
      newObjectCount: 3,
      newByteCount: 4 * KIB,
    }),
  ],
];

for (const [expected, saved] of CASES) {
  Deno.test(`a save says: ${expected}`, () => {
    equal(summarizeSave(saved, 7000), expected);
  });
}
