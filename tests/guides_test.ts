// docs/guides: the commands that each guide shows, run as one script in an empty folder.
import { equal, ok } from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { readText, ROOT } from "../_tools/workspace.ts";
import { absentReason } from "./_mount.ts";
import { denoFolder, run } from "./_run.ts";
import { TemporaryFolder } from "./_snapshots.ts";

const FOLDER = "docs/guides";

/** What a guide needs that may be absent: a program, or mounts. */
const NEEDS: Record<string, string> = {
  from_borg: "borg",
  from_git_annex: "git-annex",
  from_restic: "restic",
  mounting: "mounts",
};

/** All blocks of shell, in order. */
function scriptOf(guide: string): string {
  const blocks = readText(`${FOLDER}/${guide}.md`)
    .matchAll(/^```sh\n([^]*?)^```$/gm);
  return Array.from(blocks, ([, code]) => code).join("");
}

/** Why a guide cannot be run here, if so. */
function absence(guide: string): string | undefined {
  const need = NEEDS[guide];
  if (need === undefined) return undefined;
  if (need === "mounts") {
    return Deno.env.get("CI") === undefined ? absentReason : undefined;
  }
  const { success } = new Deno.Command("sh", {
    args: ["-c", `command -v ${need}`],
    stdout: "null",
  }).outputSync();
  return success ? undefined : `there is no ${need}`;
}

/** An empty folder that is home, with the program in the path. */
function prepare(folder: TemporaryFolder): Record<string, string> {
  const program = folder.join("bin/snap");
  mkdirSync(folder.join("bin"));
  mkdirSync(folder.join("work"));
  writeFileSync(
    program,
    `#!/bin/sh\nexec ${Deno.execPath()} run -A ${ROOT}cli/main.ts "$@"\n`,
  );
  chmodSync(program, 0o755);
  return {
    HOME: folder.join("work"),
    DENO_DIR: denoFolder(),
    PATH: `${folder.join("bin")}:${Deno.env.get("PATH")}`,
  };
}

for (const file of readdirSync(ROOT + FOLDER)) {
  const guide = file.replace(/\.md$/, "");
  const script = scriptOf(guide);
  if (script === "") continue;
  const reason = absence(guide);
  Deno.test({
    name: `guide ${guide} can be followed` +
      (reason === undefined ? "" : ` (left out as ${reason})`),
    ignore: reason !== undefined,
    async fn() {
      using folder = new TemporaryFolder();
      const env = prepare(folder);
      const { code, stdout, stderr } = await run(
        ["sh", "-xc", `set -e\n${script}`],
        { cwd: folder.join("work"), env },
      );
      equal(code, 0, stdout + stderr);
    },
  });
}

Deno.test("guides: each has a place in what is needed, and there are scripts", () => {
  for (const guide of Object.keys(NEEDS)) ok(scriptOf(guide) !== "", guide);
});
