import { deepStrictEqual } from "node:assert/strict";
import { formatTable } from "./table.ts";

const COLUMNS = [{ title: "name" }, { title: "size", isNumber: true }] as const;
const ROWS = [["a", "1"], ["ällë", "100"]];

Deno.test("formatTable: aligned with titles for people", () => {
  deepStrictEqual(formatTable(COLUMNS, ROWS, { isForPeople: true }), [
    "name  size",
    "a        1",
    "ällë   100",
  ]);
  deepStrictEqual(
    formatTable(COLUMNS, ROWS, { isForPeople: true, isBare: true })[0],
    "a       1",
  );
});

Deno.test("formatTable: tabs and no titles for programs", () => {
  deepStrictEqual(formatTable(COLUMNS, ROWS, { isForPeople: false }), [
    "a\t1",
    "ällë\t100",
  ]);
});
