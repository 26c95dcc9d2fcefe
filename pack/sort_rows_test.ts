import { deepEqual } from "node:assert/strict";
import { compareKeys } from "./bytes.ts";
import { sortRows } from "./sort_rows.ts";
import { Random } from "./_testing.ts";

const ROW_SIZE = 48;

Deno.test("sortRows sorts as a stable sort of whole keys does", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed);
    const count = random.below(300);
    const rows = random.bytes(count * ROW_SIZE);
    // Few different first bytes and few different ids, so that many are equal.
    for (let i = 0; i < count; i++) {
      const at = i * ROW_SIZE;
      if (seed % 3 > 0) rows.fill(random.below(3), at, at + 4);
      if (seed % 3 > 1) rows.fill(random.below(2), at + 4, at + 33);
      if (seed % 3 > 1) rows.fill(0, at + 33, at + 36);
    }
    const expected = Array.from({ length: count }, (_, i) => i).sort((a, b) =>
      compareKeys(rows, a * ROW_SIZE, rows, b * ROW_SIZE) || a - b
    );
    deepEqual([...sortRows(rows, count, ROW_SIZE)], expected);
  }
});

Deno.test("sortRows keeps more rows than bits of a float allow apart", () => {
  const count = 2 ** 21 + 5;
  const rows = new Uint8Array(count * 36);
  const random = new Random(5);
  for (let i = 0; i < count; i++) {
    const at = i * 36;
    const number = random.next();
    rows[at] = number >>> 24;
    rows[at + 1] = number >>> 16;
    rows[at + 2] = number >>> 8;
    rows[at + 3] = number;
  }
  const order = sortRows(rows, count, 36);
  let wrong = 0;
  for (let i = 1; i < count; i++) {
    const sorted = compareKeys(rows, order[i - 1] * 36, rows, order[i] * 36) ||
      order[i - 1] - order[i];
    if (sorted >= 0) wrong++;
  }
  deepEqual(wrong, 0);
});
