import assert from "node:assert/strict";
import { isTemporaryName, TemporaryNames } from "./temporary_names.ts";
import { bytes, text } from "../testdata/temp_dir.ts";

Deno.test("TemporaryNames gives names that are known again, and no two alike", () => {
  const seen = new Set<string>();
  for (const names of [new TemporaryNames(), new TemporaryNames()]) {
    for (let i = 0; i < 20; i++) {
      const name = names.next();
      assert.equal(name.at(-1), 0);
      assert.ok(isTemporaryName(name.subarray(0, -1)), text(name));
      seen.add(text(name));
    }
  }
  assert.equal(seen.size, 40);
});

Deno.test("isTemporaryName takes no name that only looks alike", () => {
  const name = text(new TemporaryNames().next().subarray(0, -1));
  for (let i = 0; i < name.length; i++) {
    const other = name[i] === "1" ? "2" : "1";
    const changed = name.slice(0, i) + other + name.slice(i + 1);
    assert.equal(isTemporaryName(bytes(changed)), false, changed);
  }
  for (
    const other of [
      "",
      ".snap",
      ".snap-backup",
      ".snap-1d8f7a10-6c1b-4d2e-0",
      ".snap-0123456789abcdef-0-00000000",
      `${name}.`,
      `x${name}`,
      name.toUpperCase(),
      ".".repeat(255),
    ]
  ) assert.equal(isTemporaryName(bytes(other)), false, other);
});
