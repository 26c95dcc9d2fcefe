import assert from "node:assert/strict";
import { posix } from "@snap/posix";
import { runWalkBench } from "./walk_bench.ts";

Deno.test({
  name: "walk bench runs, and every back end finds the same entries",
  ignore: posix === undefined,
  fn() {
    const options = {
      path: "/etc",
      roundCount: 1,
      fileCount: 20,
      scratch: "/tmp",
    };
    const rows = runWalkBench(options);
    assert.deepEqual(rows.map(({ count }) => count > 0), [
      true,
      true,
      true,
      true,
      true,
    ]);
    assert.equal(rows[0].count, rows[1].count);
  },
});
