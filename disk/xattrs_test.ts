import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { O_DIRECTORY, O_RDONLY } from "@snap/posix/constants";
import { diskCalls } from "./best_calls.ts";
import { nodeCalls } from "./node_calls.ts";
import {
  bytes,
  isReduced,
  putNothing,
  tempDir,
  text,
} from "./testdata/temp_dir.ts";
import { Xattrs } from "./xattrs.ts";

const isRoot = Deno.uid() === 0;
const calls = diskCalls();

function withDescriptor(
  path: string,
  flags: number,
  act: (fd: number) => void,
): void {
  const fd = calls.open(bytes(`${path}\0`), flags, 0);
  assert.ok(fd >= 0);
  try {
    act(fd);
  } finally {
    calls.close(fd);
  }
}

function namesOf(xattrs: Xattrs, fd: number): string[] {
  const read = xattrs.read(fd, putNothing);
  assert.ok(typeof read !== "number");
  return read.map(({ name, value }) =>
    `${text(name)}=${text(value ?? bytes("?"))}`
  ).sort();
}

Deno.test({
  name: "Xattrs.apply() sets what differs and removes what is not wanted",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    const path = `${dir.path}/file`;
    writeFileSync(path, "");
    for (
      const [name, value] of [["user.same", "1"], ["user.other", "2"], [
        "user.gone",
        "3",
      ]]
    ) {
      execFileSync("setfattr", ["-n", name, "-v", value, path]);
    }
    const xattrs = new Xattrs(calls);
    withDescriptor(path, O_RDONLY, (fd) => {
      const problems = xattrs.apply(fd, [
        { name: bytes("user.same"), value: bytes("1") },
        { name: bytes("user.other"), value: bytes("two") },
        { name: bytes("user.new"), value: bytes("") },
      ]);
      assert.deepEqual(problems, []);
      assert.deepEqual(namesOf(xattrs, fd), [
        "user.new=",
        "user.other=two",
        "user.same=1",
      ]);
    });
  },
});

Deno.test({
  name: "Xattrs.apply() reports what the kernel refuses, and does the rest",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    const path = `${dir.path}/file`;
    writeFileSync(path, "");
    const xattrs = new Xattrs(calls);
    withDescriptor(path, O_RDONLY, (fd) => {
      const problems = xattrs.apply(fd, [
        { name: bytes("nonsense.name"), value: bytes("1") },
        { name: bytes("user.good"), value: bytes("2") },
      ]);
      assert.deepEqual(problems.map(({ code, name }) => [text(name), code]), [
        ["nonsense.name", "ENOTSUP"],
      ]);
      assert.deepEqual(namesOf(xattrs, fd), ["user.good=2"]);
    });
  },
});

Deno.test({
  name: "Xattrs reads and applies those of a link itself",
  ignore: isReduced || !isRoot,
  fn() {
    using dir = tempDir();
    symlinkSync("nowhere", `${dir.path}/link`);
    const xattrs = new Xattrs(calls);
    withDescriptor(dir.path, O_RDONLY | O_DIRECTORY, (fd) => {
      const link = bytes("link");
      const wanted = [{
        name: bytes("security.snap-test"),
        value: bytes("on a link"),
      }];
      assert.deepEqual(xattrs.applyAt(fd, link, wanted), []);
      const read = xattrs.readAt(fd, link, putNothing);
      assert.ok(typeof read !== "number");
      assert.equal(text(read[0].value!), "on a link");
      const user = [...wanted, {
        name: bytes("user.on-a-link"),
        value: bytes(""),
      }];
      assert.deepEqual(xattrs.applyAt(fd, link, user).map(({ code }) => code), [
        "EPERM",
      ]);
    });
  },
});

Deno.test("Xattrs without native calls reads none and reports each", () => {
  using dir = tempDir();
  writeFileSync(`${dir.path}/file`, "");
  const reduced = nodeCalls();
  const xattrs = new Xattrs(reduced);
  assert.deepEqual(xattrs.read(5, putNothing), []);
  const problems = xattrs.apply(5, [{
    name: bytes("user.a"),
    value: bytes("1"),
  }]);
  assert.deepEqual(problems.map(({ code }) => code), ["ENOTSUP"]);
});

Deno.test({
  name: "Xattrs.read() gives lists and values of any size",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    const path = `${dir.path}/file`;
    writeFileSync(path, "");
    const wanted = [1, 255, 256, 257, 1000].map((size) => ({
      name: bytes(`user.${"n".repeat(100)}${size}`),
      value: bytes("v".repeat(size)),
    }));
    const xattrs = new Xattrs(calls);
    withDescriptor(path, O_RDONLY, (fd) => {
      assert.deepEqual(xattrs.apply(fd, wanted), []);
      assert.deepEqual(
        namesOf(xattrs, fd),
        wanted.map(({ name, value }) => `${text(name)}=${text(value)}`).sort(),
      );
    });
  },
});
