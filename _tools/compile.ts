// Compiles the program into one file that needs no runtime.
//
//     deno task compile [FILE]
//
// The file is `dist/` and the name of the command if none is given. Deno puts the
// program behind a base that it downloads from dl.deno.land; where that cannot be
// had, this ends with 69. `DENORT_BIN` names a base that is here already.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readNames, stageWorkspace } from "./stage.ts";
import { ROOT } from "./workspace.ts";

/** As in sysexits(3): a service that is needed is not there. */
const UNAVAILABLE = 69;
/** What Deno says when it is about the base. */
const BASE_MISSING = /Setting up base binary|denort/;

/** Compiles into a file; gives the exit code. */
async function compile(file: string): Promise<number> {
  const stage = mkdtempSync(join(tmpdir(), "snap-stage-"));
  try {
    await stageWorkspace(stage, readNames());
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "compile",
        "--allow-all",
        "--exclude-unused-npm",
        "--include=cli/prefetch.ts",
        `--output=${file}`,
        "cli/main.ts",
      ],
      cwd: stage,
    }).output();
    const said = new TextDecoder().decode(stderr);
    if (code === 0) {
      console.error(said);
      console.log(file);
      return 0;
    }
    if (!BASE_MISSING.test(said)) {
      console.error(said);
      return 1;
    }
    console.error(
      "Cannot compile as the base of the runtime is needed: it is not in npm, and https://dl.deno.land cannot be reached\n" +
        "  hint: DENORT_BIN names a base that is here",
    );
    return UNAVAILABLE;
  } finally {
    rmSync(stage, { recursive: true });
  }
}

const file = Deno.args[0] ?? join(ROOT, "dist", readNames().command);
Deno.exit(await compile(resolve(file)));
