import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { hexOf, ID_SIZE } from "@snap/hash";
import { noise } from "../tests/_snapshots.ts";
import { idOfRow, ObjectRows } from "./object_rows.ts";

Deno.test("ObjectRows.sorted has the same objects, in the order of their ids", () => {
  const rows = new ObjectRows();
  const ids = noise(ID_SIZE * 1000, 1);
  for (let i = 0; i < 1000; i++) rows.add(ids, ID_SIZE * i, i % 4 + 1, i);
  const sorted = rows.sorted();
  strictEqual(sorted.count, 1000);
  strictEqual(sorted.byteCount, rows.byteCount);
  const textsOf = (list: ObjectRows): string[] =>
    Array.from(
      { length: list.count },
      (_, i) => `${hexOf(idOfRow(list, i))} ${list.kinds[i]} ${list.sizes[i]}`,
    );
  deepStrictEqual(textsOf(sorted), textsOf(rows).sort());
});
