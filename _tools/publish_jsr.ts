// Publishes all packages to JSR under the names of `names.json`.
//
//     deno task publish:jsr [ARGUMENT OF deno publish]...
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNames, stageWorkspace } from "./stage.ts";

const stage = mkdtempSync(join(tmpdir(), "snap-stage-"));
try {
  await stageWorkspace(stage, readNames());
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", ...Deno.args],
    cwd: stage,
  }).spawn().status;
  Deno.exitCode = code;
} finally {
  rmSync(stage, { recursive: true });
}
