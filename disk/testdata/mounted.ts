// Mounts for tests.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { env, getuid } from "node:process";

/** Whether things can be mounted here; where tests must not be left out, a failure says so. */
export function canMount(): boolean {
  if (getuid?.() !== 0) return false;
  const path = mkdtempSync("/tmp/disk-");
  try {
    using _ = mounted(path, "-t", "tmpfs", "none");
    return true;
  } catch (error) {
    if (env.CI !== undefined) throw error;
    return false;
  } finally {
    rmdirSync(path);
  }
}

/** Mounts something on a path for a scope: the words of `mount` before the path. */
export function mounted(path: string, ...words: string[]): Disposable {
  execFileSync("mount", [...words, path], { stdio: "ignore" });
  return {
    // What another thread starts at that moment still has it open.
    [Symbol.dispose]: () => void execFileSync("umount", ["-l", path]),
  };
}
