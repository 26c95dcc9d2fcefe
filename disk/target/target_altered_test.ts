// File systems that take what they cannot keep: what was set is read back, and told.
import { deepEqual, equal, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { diskCalls } from "../best_calls.ts";
import type { DiskCalls } from "../disk_calls.ts";
import { openTarget } from "./open_target.ts";
import type { TargetAttributes } from "./target_attributes.ts";
import {
  bytes,
  hooked,
  isReduced,
  tempDir,
  text,
} from "../testdata/temp_dir.ts";

/** A year that 32 bits do not hold, 2446. */
const FAR_SEC = 15_000_000_000;
const SEC = 1_500_000_001;

/** Makes a file with each of the attributes; gives what was told of each. */
function told(
  path: string,
  all: readonly TargetAttributes[],
  calls?: DiskCalls,
): string[][] {
  const options = calls === undefined ? {} : { calls };
  using target = openTarget(path, options);
  return all.map((wanted, i) => {
    using file = target.createFile(target.root, bytes(`file${i}`));
    const problems = file.setAttributes(wanted);
    file.finish();
    return problems.map(({ action, code, path }) =>
      `${action} ${text(path)}: ${code}`
    );
  });
}

const imageMaker = ["/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"].find(existsSync);

/** Mounts a file system in a file; why that cannot be, if it cannot. */
function mountSmallInodes(folder: string): string | undefined {
  if (imageMaker === undefined) return "there is no mkfs.ext4";
  const image = `${folder}/image`, path = `${folder}/mounted`;
  mkdirSync(path);
  try {
    const quiet = { stdio: "ignore" } as const;
    execFileSync("truncate", ["-s", "8M", image], quiet);
    execFileSync(imageMaker, ["-q", "-F", "-I", "128", image], quiet);
    execFileSync("mount", ["-o", "loop", image, path], quiet);
  } catch (error) {
    return `no file can be mounted: ${error}`;
  }
  return undefined;
}

Deno.test({
  name: "a time that inodes of 128 bytes cannot hold is told",
  ignore: isReduced || Deno.uid() !== 0,
  fn() {
    using folder = tempDir();
    const reason = mountSmallInodes(folder.path);
    if (reason !== undefined) {
      if (Deno.env.get("CI") !== undefined) throw new Error(reason);
      console.log(`Left out as ${reason}`);
      return;
    }
    try {
      mkdirSync(`${folder.path}/mounted/target`);
      deepEqual(
        told(`${folder.path}/mounted/target`, [
          { mtimeSec: SEC, mtimeNs: 0, mode: 0o640 },
          { mtimeSec: FAR_SEC, mtimeNs: 0 },
          { mtimeSec: SEC, mtimeNs: 5 },
          { mtimeSec: SEC, mtimeNs: 6 },
          { mtimeSec: FAR_SEC, mtimeNs: 5 },
        ]),
        [
          [],
          ["set time of file1: EALTERED"],
          ["set time of file2: ECOARSE"],
          [],
          ["set time of file4: EALTERED"],
        ],
      );
    } finally {
      execFileSync("umount", ["-l", `${folder.path}/mounted`]);
    }
  },
});

/** Calls of a file system like FAT: whole seconds, even ones only, and one mode for all. */
function fatCalls(): DiskCalls {
  const calls = diskCalls();
  return hooked(calls, {
    futimens: (fd, sec) => calls.futimens(fd, sec - sec % 2, 0),
    fchmod: (fd) => calls.fchmod(fd, 0o777),
  });
}

Deno.test({
  name:
    "a file system with coarse times and no modes is told of, its times of fractions once",
  ignore: isReduced,
  fn() {
    using folder = tempDir();
    deepEqual(
      told(folder.path, [
        { mtimeSec: SEC - 1, mtimeNs: 0 },
        { mtimeSec: SEC, mtimeNs: 0 },
        { mtimeSec: SEC - 1, mtimeNs: 7 },
        { mtimeSec: SEC - 1, mtimeNs: 7 },
        { mode: 0o640 },
        { mode: 0o777 },
      ], fatCalls()),
      [
        [],
        ["set time of file1: EALTERED"],
        ["set time of file2: ECOARSE"],
        [],
        ["set mode of file4: EALTERED"],
        [],
      ],
    );
  },
});

Deno.test({
  name:
    "what a file system keeps is looked at once, what few can keep each time",
  ignore: isReduced,
  fn() {
    using folder = tempDir();
    const calls = diskCalls();
    let looks = 0;
    const counting = hooked(calls, {
      stat: (...args) => (looks++, calls.stat(...args)),
    });
    const usual = { mode: 0o640, mtimeSec: SEC, mtimeNs: 5 };
    const after = (wanted: TargetAttributes[]): number => {
      looks = 0;
      deepEqual(told(folder.path, wanted, counting).flat(), []);
      return looks;
    };
    const none = after([]);
    const first = after([usual]);
    for (const name of ["file0"]) Deno.removeSync(`${folder.path}/${name}`);
    const many = after([usual, usual, usual, usual, usual]);
    equal(many, first);
    ok(first > none);
    for (let i = 0; i < 5; i++) Deno.removeSync(`${folder.path}/file${i}`);
    const special = after([
      usual,
      { mtimeSec: -5, mtimeNs: 5 },
      { mode: 0o2750 },
    ]);
    equal(special, first + 2);
  },
});
