import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type Prng, seededTest } from "../../tests/_prng.ts";
import { NameTable } from "./name_table.ts";

/** A name of 1 to 255 bytes, often one that was there before. */
function nameOf(prng: Prng): string {
  const text = String.fromCharCode(prng.below(256), prng.below(256));
  return text.repeat(1 + prng.below(3)) + "x".repeat(prng.below(250));
}

seededTest("NameTable holds what a map of each directory would", (prng) => {
  const table = new NameTable();
  const maps = Array.from({ length: 8 }, () => new Map<string, number>());
  const names = Array.from({ length: 1000 }, () => nameOf(prng));
  for (let round = 0; round < 10_000; round++) {
    const directory = prng.below(maps.length);
    const name = names[prng.below(names.length)];
    const map = maps[directory];
    strictEqual(table.find(directory, name), map.get(name));
    if (prng.below(3) === 0) {
      table.delete(directory, name);
      map.delete(name);
    } else {
      table.set(directory, name, round);
      map.set(name, round);
    }
  }
  for (const [directory, map] of maps.entries()) {
    const sorted = [...map.keys()].sort((a, b) => a < b ? -1 : 1);
    const rows = Array.from(table.sorted(directory));
    deepStrictEqual(
      rows.map((row) => String.fromCharCode(...table.nameBytes(row))),
      sorted,
    );
    deepStrictEqual(
      rows.map((row) => table.node(row)),
      sorted.map((name) => map.get(name)),
    );
    deepStrictEqual(new Set(table.list(directory)), new Set(sorted));
    for (const name of sorted) table.delete(directory, name);
    strictEqual(table.has(directory), false);
  }
}, { roundCount: 3 });
