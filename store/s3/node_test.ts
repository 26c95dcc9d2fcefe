import { strictEqual } from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findNode, installPackages, nodeArguments } from "../../tests/_node.ts";

const node = findNode();

Deno.test({
  name: "S3Store passes the suite on Node, too",
  ignore: node === undefined,
  async fn() {
    const folder = mkdtempSync(join(tmpdir(), "s3-node-"));
    try {
      strictEqual(installPackages(folder), true);
      const program = fileURLToPath(
        new URL("testdata/on_node.ts", import.meta.url),
      );
      const args = nodeArguments(program, folder);
      const { stdout } = await promisify(execFile)(node!, args);
      strictEqual(stdout, "18 passed\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
});
