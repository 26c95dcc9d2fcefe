import assert from "node:assert/strict";
import { compareBytes } from "@snap/hash";
import { sortNames } from "./sort_names.ts";

function randomNames(count: number, seed: number): Uint8Array[] {
  let state = seed;
  const next = (): number => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state >>> 8;
  };
  return Array.from({ length: count }, () => {
    return Uint8Array.from(
      { length: 1 + next() % 6 },
      () => [97, 98, 0xff, 0x80, 1][next() % 5],
    );
  });
}

function sorted(names: Uint8Array[]): Uint8Array[] {
  const bytes = new Uint8Array(
    names.reduce((size, name) => size + name.length, 0),
  );
  const starts = new Uint32Array(names.length);
  const ends = new Uint32Array(names.length);
  let at = 0;
  names.forEach((name, i) => {
    bytes.set(name, starts[i] = at);
    ends[i] = at += name.length;
  });
  const order = new Uint32Array(names.length);
  const result = sortNames(
    { bytes, starts, ends },
    names.length,
    order,
    order.slice(),
  );
  return [...result].map((i) => names[i]);
}

Deno.test("sortNames() sorts as bytes compare, at every size around a run", () => {
  for (const count of [0, 1, 2, 7, 8, 9, 15, 16, 17, 100, 1000]) {
    const names = randomNames(count, count + 1);
    assert.deepEqual(
      sorted(names),
      [...names].sort(compareBytes),
      `${count} names`,
    );
  }
});

Deno.test("sortNames() puts a name before those that it begins", () => {
  const names = ["ab", "a", "abc", "a.b"].map((name) =>
    new TextEncoder().encode(name)
  );
  const texts = sorted(names).map((name) => new TextDecoder().decode(name));
  assert.deepEqual(texts, ["a", "a.b", "ab", "abc"]);
});
