import assert from "node:assert/strict";
import { nodeCalls } from "./node_calls.ts";
import { localOwners } from "./owners.ts";
import { text } from "./testdata/temp_dir.ts";

Deno.test("localOwners() knows root, with and without native calls", () => {
  assert.equal(text(localOwners().userName(0)), "root");
  assert.equal(localOwners(), localOwners());
  assert.equal(text(localOwners(nodeCalls()).userName(0)), "root");
});
