// A small file system of its own for a test, where the tests may mount.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Mounts an empty tmpfs of some size. */
export function mountTmpfs(path: string, size: string): void {
  mkdirSync(path, { recursive: true });
  execFileSync("mount", [
    "-t",
    "tmpfs",
    "-o",
    `size=${size},mode=0700`,
    "tmpfs",
    path,
  ], {
    stdio: "ignore",
  });
}

/** Makes a mounted file system read-only. */
export function remountReadOnly(path: string): void {
  remount(path, "ro");
}

/** Gives a mounted tmpfs another size. */
export function resizeTmpfs(path: string, size: string): void {
  remount(path, `size=${size}`);
}

function remount(path: string, option: string): void {
  execFileSync("mount", ["-o", `remount,${option}`, path], { stdio: "ignore" });
}

/** Ends a mount. */
export function unmount(path: string): void {
  execFileSync("umount", ["-l", path], { stdio: "ignore" });
}

/** Whether this process may mount at all. */
export function canMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), "store-test-"));
  try {
    mountTmpfs(path, "64k");
    unmount(path);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(path);
  }
}
