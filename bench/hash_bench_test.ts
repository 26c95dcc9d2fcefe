import { deepStrictEqual, ok } from "node:assert/strict";
import { runHashBench } from "./hash_bench.ts";

Deno.test("hash bench runs every backend at a small size", () => {
  const rows = runHashBench({ timeMs: 1, sizeLarge: 200_000 });
  deepStrictEqual([...new Set(rows.map(({ name }) => name))], [
    "wasm",
    "js",
    "native",
    "blake3-wasm 2.1.5",
    "chunker",
  ]);
  for (const { size, timeUs } of rows) ok(size / timeUs > 0);
});
