// Targets where upper and lower case are one: nothing is replaced by what has another name.
import { deepEqual, equal, throws } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { diskCalls } from "../best_calls.ts";
import type { DiskCalls } from "../disk_calls.ts";
import { openTarget } from "./open_target.ts";
import type { Target } from "./target.ts";
import { BACK_ENDS, bytes, hooked, tempDir } from "../testdata/temp_dir.ts";

/** Calls of a file system that takes all letters for small ones. */
function folding(calls: DiskCalls): DiskCalls {
  const fold = (name: Uint8Array): Uint8Array =>
    name.map((byte) => byte >= 65 && byte <= 90 ? byte + 32 : byte);
  return hooked(calls, {
    openAt: (at, name, ...rest) => calls.openAt(at, fold(name), ...rest),
    openAt2: (at, name, ...rest) => calls.openAt2(at, fold(name), ...rest),
    mkdirAt: (at, name, mode) => calls.mkdirAt(at, fold(name), mode),
    statAt: (at, name, ...rest) => calls.statAt(at, fold(name), ...rest),
    symlinkAt: (to, at, name) => calls.symlinkAt(to, at, fold(name)),
    linkAt: (from, name, to, other, flags) =>
      calls.linkAt(from, fold(name), to, fold(other), flags),
    unlinkAt: (at, name, flags) => calls.unlinkAt(at, fold(name), flags),
    renameAt: (from, name, to, other) =>
      calls.renameAt(from, fold(name), to, fold(other)),
  });
}

function write(
  target: Target,
  name: string,
  options: { temporary?: boolean; isFree?: boolean },
): void {
  using file = target.createFile(target.root, bytes(name), options);
  file.write(bytes(name), 0);
  file.finish();
}

/** Makes what is named `NAME`, and then each kind of thing that is named `name`. */
function checkFolded(path: string, calls: DiskCalls): void {
  using target = openTarget(path, { calls });
  write(target, "NAME", {});
  target.directory(target.root, bytes("DIR"), { create: true });
  const before = readdirSync(path).sort();
  const taken = { name: "DiskError", code: "EEXIST" };
  for (const temporary of [false, true]) {
    throws(() => write(target, "name", { temporary, isFree: true }), taken);
  }
  const options = { create: true, isFree: true };
  throws(() => target.directory(target.root, bytes("dir"), options), {
    name: "DiskError",
    code: "EFOLDED",
  });
  throws(() => target.symlink(target.root, bytes("name"), bytes("x")), taken);
  // Nothing of them is left, and what was there is as it was.
  deepEqual(readdirSync(path).sort(), before);
  equal(readFileSync(`${path}/${before.at(-1)}`, "utf8"), "NAME");
  // What is known to stand there is entered and replaced.
  target.directory(target.root, bytes("dir"), { create: true });
  write(target, "name", { temporary: true });
  equal(readFileSync(`${path}/${before.at(-1)}`, "utf8"), "name");
}

for (const [title, calls] of BACK_ENDS) {
  Deno.test(`a name that another has where case is folded is told, and replaces nothing: ${title}`, () => {
    using folder = tempDir();
    checkFolded(folder.path, folding(calls));
  });
}

/** Mounts a file system in a file, with a directory that folds case; why not, if not. */
function mountFolding(folder: string): string | undefined {
  const maker = ["/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"].find(existsSync);
  if (maker === undefined) return "there is no mkfs.ext4";
  const image = `${folder}/image`, path = `${folder}/mounted`;
  mkdirSync(path);
  try {
    const quiet = { stdio: "ignore" } as const;
    execFileSync("truncate", ["-s", "16M", image], quiet);
    execFileSync(maker, ["-q", "-F", "-O", "casefold", image], quiet);
    execFileSync("mount", ["-o", "loop", image, path], quiet);
    mkdirSync(`${path}/target`);
    execFileSync("chattr", ["+F", `${path}/target`], quiet);
  } catch (error) {
    return `no file system that folds case can be mounted: ${error}`;
  }
  return undefined;
}

Deno.test({
  name:
    "a name that another has where ext4 folds case is told, and replaces nothing",
  ignore: Deno.uid() !== 0,
  fn() {
    using folder = tempDir();
    const reason = mountFolding(folder.path);
    try {
      // Kernels are made without it, also where everything else must be tested.
      if (reason === undefined) {
        checkFolded(`${folder.path}/mounted/target`, diskCalls());
      } else console.log(`Left out as ${reason}`);
    } finally {
      try {
        execFileSync("umount", ["-l", `${folder.path}/mounted`], {
          stdio: "ignore",
        });
      } catch {
        // It was not mounted.
      }
    }
  },
});
