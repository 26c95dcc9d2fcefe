import assert from "node:assert/strict";
import { Counter, Counters } from "./counters.ts";

Deno.test("Counters sums what all workers have counted", () => {
  const first = Counters.create(2);
  const second = new Counters(first.buffer, 1);
  first.request(15);
  second.request(15);
  second.request(3);
  second.request(4096);
  first.add(Counter.bytesRead, 2 ** 40);
  second.add(Counter.bytesRead, 1);
  assert.equal(first.total(15), 2);
  assert.equal(first.total(0), 1);
  assert.equal(second.totalRequests(), 4);
  assert.equal(second.total(Counter.bytesRead), 2 ** 40 + 1);
  assert.equal(first.total(Counter.faults), 0);
});
