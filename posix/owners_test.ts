import assert from "node:assert/strict";
import { Owners } from "./owners.ts";

const encoder = new TextEncoder();
const bytes = (text: string): Uint8Array => encoder.encode(text);
const text = (of: Uint8Array): string => new TextDecoder().decode(of);

const owners = new Owners({
  passwd: bytes(
    "root:x:0:0:root:/root:/bin/sh\nann:x:1000:100::/:\nben:x:1000:100::/:\nbad line\nann:x:7:7::/:",
  ),
  group: bytes(
    `users:x:100:ann,${"ben,".repeat(100_000)}\nwheel:x:10:\nno:x:abc:\n`,
  ),
});

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

Deno.test("Owners without files have no names, and every number is what it is", () => {
  const none = new Owners();
  assert.equal(none.userName(0).length, 0);
  assert.equal(none.userId(bytes("root"), 5), 5);
  assert.equal(none.groupId(bytes("root"), 5), 5);
});
