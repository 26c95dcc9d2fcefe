import { ok, strictEqual } from "node:assert/strict";
import { noise } from "../../tests/_test_bytes.ts";
import { IdSet } from "./id_set.ts";

Deno.test("IdSet keeps what was added, apart by number, kind and pair", () => {
  const set = new IdSet();
  const ids = noise(3, 32 * 20_000);
  for (let at = 0; at < ids.length; at += 32) ok(set.add(ids, at, 5, 1));
  for (let at = 0; at < ids.length; at += 32) ok(!set.add(ids, at, 5, 1));
  for (let at = 0; at < ids.length; at += 32) ok(set.has(ids, at, 5, 1));
  for (let at = 0; at < ids.length; at += 32) ok(!set.has(ids, at, 6, 1));
  strictEqual(set.count, 20_000);
  ok(set.add(ids, 0, 6, 1));
  ok(set.add(ids, 0, 5, 2));
  ok(set.add(ids, 0, 5 + 2 ** 32, 1));
  ok(!set.add(ids, 0, 5 + 2 ** 32, 1));
  ok(set.addPair(ids, 0, ids, 32));
  ok(set.addPair(ids, 32, ids, 0));
  ok(!set.addPair(ids, 0, ids, 32));
});

Deno.test("IdSet knows the id of zeros", () => {
  const set = new IdSet();
  ok(set.add(new Uint8Array(32), 0, 0, 0));
  ok(!set.add(new Uint8Array(32), 0, 0, 0));
  strictEqual(set.count, 1);
});
