import assert from "node:assert/strict";
import { posix, posixAbsentReason } from "./posix.ts";
import { checks } from "./testdata/checks.ts";
import { runCheck } from "./testdata/suite.ts";

Deno.test("posix is there on Linux, and says why where it is not", () => {
  if (Deno.build.os === "linux") assert.equal(posixAbsentReason, undefined);
  assert.equal(posix === undefined, posixAbsentReason !== undefined);
});

for (const check of checks) {
  Deno.test({
    name: `posix: ${check.name}`,
    ignore: posix === undefined,
    fn() {
      const skipped = runCheck(check);
      if (skipped) console.log(`skipped: ${skipped}`);
    },
  });
}
