import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOATIME,
  O_NOFOLLOW,
  O_PATH,
} from "./flags.ts";
import { S_IFMT, S_IFSOCK, S_ISVTX } from "./mode.ts";
import { posix } from "./posix.ts";

Deno.test("no flag and no mode is an octal literal", () => {
  const folder = import.meta.dirname!;
  const sources = fs.readdirSync(folder).filter((name) => name.endsWith(".ts"));
  assert(sources.includes("flags.ts") && sources.length > 15);
  for (const name of sources) {
    const source = fs.readFileSync(path.join(folder, name), "utf8");
    assert.doesNotMatch(source, /\b0[oO][0-7]/, name);
  }
});

Deno.test({
  name: "the kernel knows the flags by the same numbers",
  ignore: posix === undefined || !fs.existsSync("/proc/self/fdinfo"),
  fn() {
    const root = new TextEncoder().encode("/\0");
    const seen = (flags: number) => {
      const fd = posix!.open(root, flags, 0);
      assert(fd >= 0);
      const info = fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
      posix!.close(fd);
      return Number.parseInt(/flags:\s*(\d+)/.exec(info)![1], 8);
    };
    for (const flag of [O_DIRECTORY, O_NOFOLLOW, O_PATH]) {
      assert.equal(seen(flag) & (flag | O_CLOEXEC), flag | O_CLOEXEC);
    }
    if (posix!.geteuid() === 0) {
      assert.equal(seen(O_NOATIME) & O_NOATIME, O_NOATIME);
    }
    assert(fs.statSync("/tmp").mode & S_ISVTX);
    assert.equal(S_IFMT & S_IFSOCK, S_IFSOCK);
  },
});
