import { ok, strictEqual } from "node:assert/strict";
import { manifestBench } from "./manifest_bench.ts";

Deno.test("manifest bench runs every step at a small size", () => {
  const rows = manifestBench(200, 20);
  strictEqual(rows.length, 5);
  for (const { nsEachRow } of rows) ok(nsEachRow > 0 && nsEachRow < Infinity);
});
