// A program that runs without the rights of root.
import { execFile } from "node:child_process";
import { chmodSync } from "node:fs";
import process from "node:process";
import { tempDir } from "./temp_dir.ts";

const NOBODY = 65534;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/**
 * Runs a program in a process of a user without rights.
 *
 * @param program Its source.
 * @returns What it wrote.
 */
export async function asNobody(program: string): Promise<string> {
  using dir = tempDir();
  chmodSync(dir.path, 0o777);
  const args = [
    "eval",
    "--cached-only",
    "--no-lock",
    `--config=${CONFIG}`,
    program,
  ];
  const options = {
    uid: NOBODY,
    gid: NOBODY,
    cwd: dir.path,
    env: { ...process.env, DENO_DIR: dir.path, HOME: dir.path },
  };
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile(
    process.execPath,
    args,
    options,
    (_error, stdout, stderr) => resolve(stdout || stderr),
  );
  return await promise;
}
