import { equal, ok } from "node:assert/strict";
import { Prng, seedOfRun } from "../../tests/_prng.ts";
import { ServedContents } from "./served_contents.ts";

const content = (id: Uint8Array, size: number) => ({ id, start: 0, size });

Deno.test("ServedContents tells once that all of a content was served", () => {
  const served = ServedContents.create();
  const other = new ServedContents(served.buffer);
  const id = new Uint8Array(32).fill(3);
  equal(served.add(content(id, 1_000_000), 500_000), false);
  equal(other.add(content(id, 1_000_000), 500_000), true);
  equal(served.add(content(id, 1_000_000), 1_000_000), false);
  equal(served.isBad(id, 0), false);
  other.markBad(id, 0);
  equal(served.isBad(id, 0), true);
  equal(served.add(content(id, 1_000_000), 1_000_000), false);
});

Deno.test("ServedContents finds an id in the middle of bytes", () => {
  const served = ServedContents.create();
  const ids = new Uint8Array(100).fill(1, 7, 39);
  served.markBad(ids, 7);
  ok(served.isBad(new Uint8Array(32).fill(1), 0));
  equal(served.isBad(ids, 8), false);
});

Deno.test("ServedContents forgets contents before those that are bad", () => {
  const seed = seedOfRun();
  const prng = new Prng(seed);
  const served = ServedContents.create();
  const bad = Array.from({ length: 200 }, () => prng.bytes(32));
  for (const id of bad) served.markBad(id, 0);
  let told = 0;
  for (let i = 0; i < 20_000; i++) {
    if (served.add(content(prng.bytes(32), 4096), 4096)) told++;
  }
  equal(told, 20_000, `seed ${seed}`);
  for (const id of bad) ok(served.isBad(id, 0), `seed ${seed}`);
});
