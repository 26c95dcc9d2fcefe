import { deepEqual, equal } from "node:assert/strict";
import { SecondChance } from "./second_chance.ts";

/** A budget of 3, and what has gone. */
function makeKept(): { kept: SecondChance<string, string>; gone: string[] } {
  const gone: string[] = [];
  const onDrop = (value: string): void => void gone.push(value);
  return { kept: new SecondChance({ sizeMax: 3, onDrop }), gone };
}

Deno.test("SecondChance drops the oldest that was not asked for", () => {
  const { kept, gone } = makeKept();
  for (const key of ["a", "b", "c"]) kept.set(key, key, 1);
  equal(kept.get("a"), "a");
  kept.set("d", "d", 1);
  deepEqual(gone, ["b"]);
  kept.set("e", "e", 1);
  deepEqual(gone, ["b", "c"]);
  // It had its second chance.
  kept.set("f", "f", 1);
  deepEqual(gone, ["b", "c", "a"]);
  equal(kept.get("a"), undefined);
});

Deno.test("SecondChance makes room where all were asked for", () => {
  const { kept, gone } = makeKept();
  for (const key of ["a", "b", "c"]) kept.set(key, key, 1);
  for (const key of ["a", "b", "c"]) kept.get(key);
  kept.set("d", "d", 2);
  deepEqual(gone, ["a", "b"]);
  deepEqual(["a", "b", "c", "d"].map((key) => kept.get(key)), [
    undefined,
    undefined,
    "c",
    "d",
  ]);
});

Deno.test("SecondChance keeps one that is larger than all room, and replaces", () => {
  const { kept, gone } = makeKept();
  kept.set("a", "a", 1);
  kept.set("b", "b", 9);
  deepEqual(gone, ["a"]);
  equal(kept.get("b"), "b");
  kept.set("b", "c", 1);
  kept.set("d", "d", 2);
  deepEqual(gone, ["a", "b"]);
  kept.clear();
  deepEqual(gone, ["a", "b", "c", "d"]);
  equal(kept.get("d"), undefined);
});

Deno.test("SecondChance makes room before a value is there", () => {
  const { kept, gone } = makeKept();
  for (const key of ["a", "b", "c"]) kept.set(key, key, 1);
  kept.makeRoom(2);
  deepEqual(gone, ["a", "b"]);
  kept.set("d", "d", 2);
  deepEqual(gone, ["a", "b"]);
});
