import assert from "node:assert/strict";
import { errorRecord } from "./error_record.ts";

Deno.test("errorRecord keeps name, message, plain fields and causes", () => {
  const cause = new RangeError("Deep");
  const error = Object.assign(new TypeError("Top", { cause }), {
    code: "X",
    path: Uint8Array.of(1),
    callback() {},
    nested: { a: 1 },
  });
  const { stack, cause: inner, ...rest } = structuredClone(errorRecord(error));
  assert.deepEqual(rest, {
    name: "TypeError",
    message: "Top",
    fields: { code: "X", path: Uint8Array.of(1) },
  });
  assert.match(stack!, /TypeError: Top/);
  assert.equal(inner!.name, "RangeError");
});

Deno.test("errorRecord takes what is no error, and causes that go round", () => {
  assert.deepEqual(errorRecord("text"), {
    name: "Error",
    message: "text",
    fields: {},
  });
  assert.equal(errorRecord(undefined).message, "undefined");
  const round = new Error("Round");
  round.cause = round;
  let depth = 0;
  for (let record = errorRecord(round).cause; record; record = record.cause) {
    depth++;
  }
  assert.equal(depth, 8);
});
