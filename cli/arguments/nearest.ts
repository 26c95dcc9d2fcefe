/**
 * Finds what was probably meant.
 *
 * @example A slip of the finger
 * ```ts
 * import { nearest } from "./nearest.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(nearest("svae", ["save", "restore"]), "save");
 * strictEqual(nearest("teapot", ["save", "restore"]), undefined);
 * ```
 *
 * @returns The nearest word, or `undefined` if none is near.
 */
export function nearest(
  word: string,
  words: readonly string[],
): string | undefined {
  let found: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of words) {
    const isStart = word.length >= 2 && candidate.startsWith(word);
    const distance = isStart ? 0 : editDistance(word, candidate);
    if (distance < least) {
      least = distance;
      found = candidate;
    }
  }
  return found;
}

/** Counts letters added, removed, replaced, or exchanged with their neighbour. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], before[j - 2] + 1);
      }
    }
    before = last;
    last = row;
  }
  return last[b.length];
}
