import { equal } from "node:assert/strict";
import { diskCalls } from "../best_calls.ts";
import { IgnoreRules } from "../ignore/ignore_rules.ts";
import { SourceWalk } from "./source_walk.ts";

Deno.test("SourceWalk keeps the first errors and counts them all", () => {
  const walk = new SourceWalk({
    calls: diskCalls(),
    path: new Uint8Array(0),
    ignore: new IgnoreRules(),
    oneFileSystem: false,
    excludeStore: undefined,
    onSocket: undefined,
    onDirectory: undefined,
  });
  for (let i = 0; i < 10_001; i++) {
    const error = walk.failWith("stat", new Uint8Array([i & 0x7f]), "EACCES");
    equal(error.code, "EACCES");
  }
  equal(walk.errors.length, 10_000);
  equal(walk.errorCount, 10_001);
});
