import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { runAtOnce } from "@snap/posix/pacer";
import { ENOSYS, O_DIRECTORY, O_RDONLY } from "@snap/posix/constants";
import { diskCalls } from "../best_calls.ts";
import type { DiskCalls } from "../disk_calls.ts";
import { DiskError } from "../disk_error.ts";
import { openTarget } from "./open_target.ts";
import { canMount, mounted } from "../testdata/mounted.ts";
import {
  BACK_ENDS,
  bytes,
  hooked,
  isReduced,
  tempDir,
  text,
} from "../testdata/temp_dir.ts";

const ignore = isReduced || !canMount();

function errorOf(act: () => unknown): [path: string, code: string] {
  try {
    act();
  } catch (error) {
    if (error instanceof DiskError) return [text(error.path), error.code];
    throw error;
  }
  throw new Error("Cannot fail as nothing is wrong");
}

/** Something precious, and a target with a directory and a file to mount it on. */
function precious(): { path: string } & Disposable {
  const dir = tempDir();
  mkdirSync(`${dir.path}/precious/sub`, { recursive: true });
  writeFileSync(`${dir.path}/precious/file`, "precious");
  writeFileSync(`${dir.path}/precious/sub/file`, "precious");
  mkdirSync(`${dir.path}/target/a/mounted`, { recursive: true });
  writeFileSync(`${dir.path}/target/a/0`, "");
  writeFileSync(`${dir.path}/target/a/z`, "");
  writeFileSync(`${dir.path}/target/a/file`, "");
  return dir;
}

function assertWhole(path: string): void {
  assert.deepEqual(readdirSync(path).sort(), ["file", "sub"]);
  for (const file of [`${path}/file`, `${path}/sub/file`]) {
    assert.equal(readFileSync(file, "utf8"), "precious");
    assert.equal(statSync(file).mode & 0o7777, 0o644);
  }
}

Deno.test({
  name:
    "target removes all but what is mounted, whether from elsewhere or the same file system",
  ignore,
  fn() {
    for (const words of [["--bind"], ["-t", "tmpfs"]]) {
      using dir = precious();
      const at = `${dir.path}/target/a/mounted`;
      const what = words[0] === "--bind" ? `${dir.path}/precious` : "none";
      using _ = mounted(at, ...words, what);
      if (words[0] !== "--bind") writeFileSync(`${at}/kept`, "");
      using target = openTarget(`${dir.path}/target`);
      const remove = () => target.removeTree(target.root, bytes("a"));
      assert.deepEqual(errorOf(remove), ["a/mounted", "EMOUNT"]);
      assert.deepEqual(readdirSync(`${dir.path}/target/a`), ["mounted"]);
      if (words[0] !== "--bind") assert.deepEqual(readdirSync(at), ["kept"]);
      assertWhole(`${dir.path}/precious`);
    }
  },
});

Deno.test({
  name: "target keeps a file that is mounted on a file, and its attributes",
  ignore,
  fn() {
    using dir = precious();
    const at = `${dir.path}/target/a/file`;
    using _ = mounted(at, "--bind", `${dir.path}/precious/file`);
    using target = openTarget(`${dir.path}/target`);
    const a = target.directoryAt(bytes("a"));
    const set = () => target.setAttributes(a, bytes("file"), { mode: 0o600 });
    assert.deepEqual(errorOf(set), ["a/file", "EMOUNT"]);
    assert.equal(target.isMountPoint(a, bytes("file")), true);
    assert.equal(target.isMountPoint(a, bytes("z")), false);
    const remove = () => target.removeTree(target.root, bytes("a"));
    assert.deepEqual(errorOf(remove), ["a/file", "EMOUNT"]);
    assert.deepEqual(readdirSync(`${dir.path}/target/a`), ["file"]);
    assertWhole(`${dir.path}/precious`);
  },
});

Deno.test({
  name: "target does not enter what is mounted, by name or by path",
  ignore,
  fn() {
    using dir = precious();
    const at = `${dir.path}/target/a/mounted`;
    using _ = mounted(at, "--bind", `${dir.path}/precious`);
    const old = hooked(diskCalls(), { openAt2: () => -ENOSYS });
    for (const calls of [diskCalls(), old]) {
      // What is of the same file system is seen with openat2(2) alone.
      const isOld = calls === old;
      using inner = mounted(`${at}/sub`, "-t", "tmpfs", "none");
      using target = openTarget(`${dir.path}/target`, { calls });
      const way = isOld ? "a/mounted/sub" : "a/mounted";
      const enter = () => target.directoryAt(bytes("a/mounted/sub"));
      assert.deepEqual(errorOf(enter), [way, "EMOUNT"]);
      const long = `${"a/mounted/sub/"}${"x/".repeat(2000)}x`;
      const enterLong = () => target.directoryAt(bytes(long));
      assert.deepEqual(errorOf(enterLong), [way, "EMOUNT"]);
      const a = target.directoryAt(bytes("a"));
      const [parent, name] = isOld
        ? [target.directory(a, bytes("mounted")), "sub"]
        : [a, "mounted"];
      const make = () =>
        target.directory(parent, bytes(name), { create: true });
      assert.deepEqual(errorOf(make), [way, "EMOUNT"]);
      assert.equal(target.isMountPoint(parent, bytes(name)), true);
      assert.ok(inner);
    }
    assertWhole(`${dir.path}/precious`);
  },
});

Deno.test({
  name: "target may itself be where something is mounted",
  ignore,
  fn() {
    using dir = precious();
    using _ = mounted(`${dir.path}/target`, "-t", "tmpfs", "none");
    using target = openTarget(`${dir.path}/target`);
    const a = target.directory(target.root, bytes("a"), { create: true });
    target.symlink(a, bytes("link"), bytes("to"));
    assert.deepEqual(
      target.setAttributes(a, bytes("link"), { mtimeSec: 7 }),
      [],
    );
    assert.equal(
      runAtOnce(target.list(target.directoryAt(bytes("a")))).count,
      1,
    );
    target.removeTree(target.root, bytes("a"));
    assert.equal(runAtOnce(target.list(target.root)).count, 0);
  },
});

/** Makes directories that nest so deep that no path leads to the last, with a file in each. */
function makeDeep(calls: DiskCalls, root: string, depth: number): void {
  let fd = calls.open(bytes(`${root}\0`), O_RDONLY | O_DIRECTORY, 0);
  const name = bytes("d\0");
  for (let i = 0; i < depth; i++) {
    assert.equal(calls.mkdirAt(fd, name, 0o700), 0);
    const next = calls.openAt(fd, name, O_RDONLY | O_DIRECTORY, 0);
    calls.symlinkAt(bytes("nowhere\0"), fd, bytes("z\0"));
    calls.close(fd);
    fd = next;
  }
  calls.close(fd);
}

Deno.test({
  name:
    "target removes a tree of 12,000 levels with a bounded number of descriptors",
  ignore: isReduced,
  fn() {
    // In memory, as file systems on disks take long for so many levels.
    using dir = tempDir(existsSync("/dev/shm") ? "/dev/shm" : "/tmp");
    const calls = diskCalls();
    makeDeep(calls, dir.path, 12_000);
    let openCount = 0;
    let openMax = 0;
    const opened = (fd: number): number => {
      if (fd >= 0) openMax = Math.max(openMax, ++openCount);
      return fd;
    };
    const counting = hooked(calls, {
      openAt: (...words) => opened(calls.openAt(...words)),
      openAt2: (...words) => opened(calls.openAt2(...words)),
      close(fd) {
        openCount--;
        return calls.close(fd);
      },
    });
    using target = openTarget(dir.path, { calls: counting });
    target.removeTree(target.root, bytes("d"));
    assert.deepEqual(readdirSync(dir.path), ["z"]);
    assert.equal(openCount, 0);
    assert.ok(openMax > 1 && openMax <= 40, `${openMax} were open`);
  },
});

Deno.test({
  name:
    "target stops removing when a directory is moved away from under its hands",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    mkdirSync(`${dir.path}/target`);
    mkdirSync(`${dir.path}/outside`);
    writeFileSync(`${dir.path}/outside/z`, "precious");
    const calls = diskCalls();
    makeDeep(calls, `${dir.path}/target`, 100);
    let isMoved = false;
    const moving = hooked(calls, {
      openAt(directory, name, flags, mode) {
        if (text(name) === "..\0" && !isMoved) {
          isMoved = true;
          const middle = `${dir.path}/target/${"d/".repeat(68)}d`;
          Deno.renameSync(middle, `${dir.path}/outside/d`);
        }
        return calls.openAt(directory, name, flags, mode);
      },
    });
    using target = openTarget(`${dir.path}/target`, { calls: moving });
    const remove = () => target.removeTree(target.root, bytes("d"));
    assert.equal(errorOf(remove)[1], "ESTALE");
    assert.equal(isMoved, true);
    assert.equal(readFileSync(`${dir.path}/outside/z`, "utf8"), "precious");
  },
});

for (const [name, calls] of BACK_ENDS) {
  Deno.test(`${name} target removes what it can, and names the first that stays`, () => {
    using dir = tempDir();
    mkdirSync(`${dir.path}/a/b/c`, { recursive: true });
    for (const path of ["a/1", "a/b/2", "a/b/c/3", "a/b/c/stays", "a/z"]) {
      writeFileSync(`${dir.path}/${path}`, "");
    }
    const stays = hooked(calls, {
      unlinkAt(directory, name, flags) {
        return text(name) === "stays\0"
          ? -1
          : calls.unlinkAt(directory, name, flags);
      },
    });
    using target = openTarget(dir.path, { calls: stays });
    const remove = () => target.removeTree(target.root, bytes("a"));
    assert.deepEqual(errorOf(remove), ["a/b/c/stays", "EPERM"]);
    assert.deepEqual(readdirSync(`${dir.path}/a`), ["b"]);
    assert.deepEqual(readdirSync(`${dir.path}/a/b`), ["c"]);
    assert.deepEqual(readdirSync(`${dir.path}/a/b/c`), ["stays"]);
    assert.ok(existsSync(dir.path) && lstatSync(dir.path).isDirectory());
  });
}
