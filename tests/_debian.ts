// Files of packages of Debian, for tests that want what others have made.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** Whether packages of Debian 12 can be had. */
export function lacksDebian(): boolean {
  if (process.env.CI !== undefined) return false;
  return !existsSync("/usr/bin/apt-get") || !existsSync("/usr/bin/dpkg-deb");
}

/**
 * Takes files out of a package, without installing it.
 *
 * @param folder Where they go.
 * @param pattern Which, as GNU tar matches names: `./usr/share/*`.
 */
export function unpackPackage(
  name: string,
  folder: string,
  pattern: string,
): void {
  const download = mkdtempSync(join(tmpdir(), "snap-package-"));
  try {
    const options = { cwd: download, stdio: "pipe" } as const;
    try {
      execFileSync("apt-get", ["download", "-q", name], options);
    } catch {
      // The lists of a fresh machine are empty.
      execFileSync("apt-get", ["update", "-q"], options);
      execFileSync("apt-get", ["download", "-q", name], options);
    }
    const [file] = readdirSync(download);
    const script = 'dpkg-deb --fsys-tarfile "$1" | tar -xC "$2" "$3"';
    const args = ["-c", script, "sh", file, folder, pattern];
    execFileSync("sh", args, options);
  } finally {
    Deno.removeSync(download, { recursive: true });
  }
}
