import { deepStrictEqual, strictEqual } from "node:assert/strict";
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

Deno.test("formatTable: what may be cut is, until lines fit; empty columns are left out", () => {
  const columns = [
    { title: "id" },
    { title: "path", keeps: "end" },
    { title: "none" },
    { title: "message", keeps: "start" },
  ] as const;
  const rows = [["0123", "/very/long/path/to", "", "some words of a message"]];
  const format = (width: number) =>
    formatTable(columns, rows, { isForPeople: true, width })[1];
  strictEqual(format(49), "0123  /very/long/path/to  some words of a message");
  strictEqual(format(40), "0123  …ry/long/path/to  some words of a…");
  strictEqual(format(30), "0123  …ng/path/to  some words…");
  strictEqual(format(10), "0123  …pa…");
});
