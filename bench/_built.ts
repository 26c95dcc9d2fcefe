import { execFileSync } from "node:child_process";
import { ROOT } from "../_tools/workspace.ts";

/**
 * Builds the program, as those who use it run it.
 *
 * @param folder Where to: its folder `program`.
 * @returns The module that is run.
 */
export function buildForBench(folder: string): string {
  const out = `${folder}/program`;
  const flags = ["run", "-A", `${ROOT}_tools/build.ts`, out];
  execFileSync(Deno.execPath(), flags, { stdio: "ignore" });
  return `${out}/main.js`;
}
