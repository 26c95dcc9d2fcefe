// A program that runs without what lets root read everything.
import { execFile } from "node:child_process";
import process from "node:process";
import { tempDir } from "./temp_dir.ts";

/** Root keeps its files, so that Deno and this folder may lie where only root comes. */
const WITHOUT_RIGHTS = "--bounding-set=-dac_override,-dac_read_search";
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/**
 * Runs a program in a process that may read only what its user may.
 *
 * @param program Its source.
 * @returns What it wrote.
 */
export async function asNobody(program: string): Promise<string> {
  using dir = tempDir();
  const args = [
    WITHOUT_RIGHTS,
    process.execPath,
    "eval",
    "--cached-only",
    "--no-lock",
    `--config=${CONFIG}`,
    program,
  ];
  const options = { cwd: dir.path };
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile(
    "setpriv",
    args,
    options,
    (_error, stdout, stderr) => resolve(stdout || stderr),
  );
  return await promise;
}
