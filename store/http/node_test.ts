import { match } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { findNode, nodeArguments } from "../../tests/_node.ts";

/** What runs on both. */
const FILES = [
  "contract_test.ts",
  "network_test.ts",
  "served_remote_store_test.ts",
  "web_store_test.ts",
  "../serve/serve_store_test.ts",
  "../serve/serve_pipe_test.ts",
  "../sftp/hostile_server_test.ts",
  "../sftp/sftp_store_test.ts",
  "../ssh/child_test.ts",
];

Deno.test("stores far away work on Node as on Deno", () => {
  const node = findNode();
  if (node === undefined) {
    console.warn("No Node for this machine: skipped");
    return;
  }
  const here = (file: string) => new URL(file, import.meta.url).pathname;
  const program = here("testdata/tests_on_node.mjs");
  const said = execFileSync(node, [
    ...nodeArguments(program),
    ...FILES.map(here),
  ], { timeout: 300_000 });
  match(String(said), /^\d+ passed$/m);
});
