// Files of packages of Debian, for tests that want what others have made.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
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
    rmSync(download, { recursive: true });
  }
}

/** A script of debootstrap that takes few packages, with what these need. */
const SCRIPT = `mirror_style release
download_style apt
finddebs_style from-indices
variants - minbase
keyring /usr/share/keyrings/debian-archive-keyring.gpg
work_out_debs () {
  required="base-files base-passwd bash coreutils dpkg login passwd perl-base tzdata util-linux"
  base=""
}
first_stage_install () { extract $required; }
second_stage_install () { :; }
`;

/** Whether a root of Debian cannot be made here. */
export function lacksDebootstrap(): boolean {
  if (process.env.CI !== undefined) return false;
  return !existsSync("/usr/sbin/debootstrap") || lacksDebian();
}

/**
 * Makes a root of Debian by the first stage of debootstrap: packages are fetched and
 * unpacked, not set up.
 *
 * @param root Where it goes.
 */
export function debootstrap(root: string): void {
  const script = `${root}.script`;
  writeFileSync(script, SCRIPT);
  const os = readFileSync("/etc/os-release", "utf8");
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(os)![1];
  const env = {
    ...process.env,
    LC_ALL: "C",
    PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
  };
  const args = ["--foreign", "--variant=minbase", codename, root];
  execFileSync("/usr/sbin/debootstrap", [...args, mirrorOf(codename), script], {
    env,
    stdio: "pipe",
  });
  for (const own of ["debootstrap", "var/cache/apt", "var/lib/apt"]) {
    rmSync(join(root, own), { recursive: true, force: true });
  }
}

/** The mirror that this machine takes its packages from. */
function mirrorOf(codename: string): string {
  const format = "$(SITE) $(RELEASE) $(COMPONENT)";
  const targets = execFileSync(
    "apt-get",
    ["indextargets", "--format", format],
    {
      encoding: "utf8",
    },
  );
  const found = targets.split("\n").find((line) =>
    line.endsWith(` ${codename} main`)
  );
  return found?.split(" ")[0] ?? "http://deb.debian.org/debian";
}
