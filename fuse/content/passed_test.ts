import { equal, ok } from "node:assert/strict";
import { Prng, seedOfRun } from "../../tests/_prng.ts";
import { Passed } from "./passed.ts";

const content = (id: Uint8Array, size: number) => ({ id, start: 0, size });

Deno.test("Passed tells once that all of a content has passed", () => {
  const passed = Passed.create();
  const other = new Passed(passed.buffer);
  const id = new Uint8Array(32).fill(3);
  equal(passed.add(content(id, 1_000_000), 500_000), false);
  equal(other.add(content(id, 1_000_000), 500_000), true);
  equal(passed.add(content(id, 1_000_000), 1_000_000), false);
  equal(passed.isBad(id, 0), false);
  other.markBad(id, 0);
  equal(passed.isBad(id, 0), true);
  equal(passed.add(content(id, 1_000_000), 1_000_000), false);
});

Deno.test("Passed finds an id in the middle of bytes", () => {
  const passed = Passed.create();
  const ids = new Uint8Array(100).fill(1, 7, 39);
  passed.markBad(ids, 7);
  ok(passed.isBad(new Uint8Array(32).fill(1), 0));
  equal(passed.isBad(ids, 8), false);
});

Deno.test("Passed forgets contents before those that are bad", () => {
  const seed = seedOfRun();
  const prng = new Prng(seed);
  const passed = Passed.create();
  const bad = Array.from({ length: 200 }, () => prng.bytes(32));
  for (const id of bad) passed.markBad(id, 0);
  let told = 0;
  for (let i = 0; i < 20_000; i++) {
    if (passed.add(content(prng.bytes(32), 4096), 4096)) told++;
  }
  equal(told, 20_000, `seed ${seed}`);
  for (const id of bad) ok(passed.isBad(id, 0), `seed ${seed}`);
});
