// Directories that whoever writes has made: fewer calls, and the same attributes.
import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  symlinkSync,
} from "node:fs";
import process from "node:process";
import { diskCalls } from "../best_calls.ts";
import { DiskError } from "../disk_error.ts";
import { openTarget } from "./open_target.ts";
import type { Target } from "./target.ts";
import { bytes, hooked, isReduced, tempDir } from "../testdata/temp_dir.ts";

const MODES = [0o644, 0o600, 0o755, 0o444, 0o777, 0o4755, 0o2710, 0];

/** Directories `a` and `a/b`, made as by the thread that walks. */
function makeDirectories(target: Target): void {
  const a = target.directory(target.root, bytes("a"), { create: true });
  const b = target.directory(a, bytes("b"), { create: true });
  assert.deepEqual([a.isFresh, b.isFresh], [true, true]);
}

/** Writes a file for each mode, as a worker does. */
function writeFiles(target: Target): void {
  const b = target.directoryAt(bytes("a/b"), { isFresh: true });
  for (const mode of MODES) {
    const file = target.createFile(b, bytes(`${mode}`), { mode });
    file.write(bytes("x"), 0);
    const problems = file.setAttributes({ mode, xattrs: [], mtimeSec: 1 });
    assert.deepEqual(problems, []);
    file.finish();
  }
}

function checkModes(path: string): void {
  for (const mode of MODES) {
    const stats = lstatSync(`${path}/a/b/${mode}`);
    assert.equal(stats.mode & 0o7777, mode, mode.toString(8));
    assert.equal(stats.size, 1);
  }
}

for (const umask of [0o022, 0o077, 0, 0o777]) {
  Deno.test(`files of fresh directories have their modes with umask ${umask.toString(8)}`, () => {
    using dir = tempDir();
    using target = openTarget(dir.path);
    makeDirectories(target);
    const before = process.umask(umask);
    try {
      using worker = openTarget(dir.path);
      writeFiles(worker);
    } finally {
      process.umask(before);
    }
    checkModes(dir.path);
  });
}

Deno.test({
  name:
    "files of fresh directories are looked at once, and opened by their path first",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    using target = openTarget(dir.path);
    makeDirectories(target);
    const log: string[] = [];
    const inner = diskCalls();
    const told = (name: "openAt2" | "fchmod") => (...args: unknown[]) => {
      log.push(name);
      return (inner[name] as (...args: unknown[]) => number)(...args);
    };
    const calls = hooked(inner, {
      openAt2: told("openAt2"),
      fchmod: told("fchmod"),
    });
    using worker = openTarget(dir.path, { calls });
    for (const directory of ["a", "a/b"]) {
      const fresh = worker.directoryAt(bytes(directory), { isFresh: true });
      for (const name of ["1", "2", "3"]) {
        const file = worker.createFile(fresh, bytes(name), { mode: 0o640 });
        file.setAttributes({ mode: 0o640, xattrs: [] });
        file.finish();
        log.push("file");
      }
    }
    assert.deepEqual(log.join(" ").split(" file").map((part) => part.trim()), [
      // The first shows what creation gives.
      "openAt2 fchmod",
      "openAt2",
      "",
      "openAt2",
      "openAt2",
      "",
      "",
    ]);
  },
});

/** An access control list that gives a group more than the mode does. */
function accessList(): Uint8Array {
  const entries = [[1, 7], [4, 7], [0x10, 7], [0x20, 0]];
  const list = new DataView(new ArrayBuffer(4 + 8 * entries.length));
  list.setUint32(0, 2, true);
  for (const [i, [tag, rights]] of entries.entries()) {
    list.setUint16(4 + 8 * i, tag, true);
    list.setUint16(6 + 8 * i, rights, true);
    list.setUint32(8 + 8 * i, 0xffffffff, true);
  }
  return new Uint8Array(list.buffer);
}

Deno.test({
  name:
    "files of fresh directories have their modes below a default access control list",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    using target = openTarget(dir.path);
    const name = bytes("system.posix_acl_default");
    const problems = target.setDirectoryAttributes(target.root, {
      xattrs: [{ name, value: accessList() }],
    });
    if (problems.length > 0) {
      return console.log(`left out: there are no lists here: ${problems[0]}`);
    }
    makeDirectories(target);
    using worker = openTarget(dir.path);
    writeFiles(worker);
    checkModes(dir.path);
    const a = target.directoryAt(bytes("a"), { isFresh: true });
    assert.equal(target.hasXattrs(a, undefined, []), false);
    target.setDirectoryAttributes(a, { mode: 0o750, xattrs: [] });
    assert.equal(target.hasXattrs(a, undefined, []), true);
    assert.equal(lstatSync(`${dir.path}/a`).mode & 0o7777, 0o750);
  },
});

Deno.test("a link that takes the place of a fresh directory is not followed", () => {
  using dir = tempDir();
  using target = openTarget(dir.path);
  makeDirectories(target);
  using outside = tempDir();
  mkdirSync(`${outside.path}/b`);
  renameSync(`${dir.path}/a`, `${dir.path}/gone`);
  symlinkSync(outside.path, `${dir.path}/a`);
  using worker = openTarget(dir.path);
  const b = worker.directoryAt(bytes("a/b"), { isFresh: true });
  for (let round = 0; round < 2; round++) {
    assert.throws(
      () => worker.createFile(b, bytes("file"), { mode: 0o644 }),
      (error: unknown) => error instanceof DiskError && error.code === "ELOOP",
    );
  }
  assert.equal(existsSync(`${outside.path}/b/file`), false);
});
