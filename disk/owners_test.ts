import assert from "node:assert/strict";
import { nodeCalls } from "./node_calls.ts";
import { localOwners, Owners } from "./owners.ts";
import { bytes, text } from "./testdata/temp_dir.ts";

const owners = new Owners(
  bytes(
    "root:x:0:0:root:/root:/bin/sh\nann:x:1000:100::/:\nben:x:1000:100::/:\nbad line\nann:x:7:7::/:",
  ),
  bytes(`users:x:100:ann,${"ben,".repeat(100_000)}\nwheel:x:10:\nno:x:abc:\n`),
);

Deno.test("Owners gives names, of two with one number the first", () => {
  assert.equal(text(owners.userName(0)), "root");
  assert.equal(text(owners.userName(1000)), "ann");
  assert.equal(text(owners.groupName(100)), "users");
  assert.equal(text(owners.groupName(10)), "wheel");
  assert.equal(owners.userName(12345).length, 0);
});

Deno.test("Owners gives numbers by name, else the number that is given", () => {
  assert.equal(owners.userId(bytes("ann"), 5), 1000);
  assert.equal(owners.userId(bytes("ben"), 5), 1000);
  assert.equal(owners.userId(bytes("nobody-here"), 5), 5);
  assert.equal(owners.userId(bytes(""), 5), 5);
  assert.equal(owners.groupId(bytes("wheel"), 5), 10);
  assert.equal(owners.groupId(bytes("no"), 5), 5);
});

Deno.test("localOwners() knows root, with and without native calls", () => {
  assert.equal(text(localOwners().userName(0)), "root");
  assert.equal(localOwners(), localOwners());
  assert.equal(text(localOwners(nodeCalls()).userName(0)), "root");
});
