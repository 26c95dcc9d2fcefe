import assert from "node:assert/strict";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { runAtOnce } from "@snap/posix/pacer";
import { StatTable } from "@snap/posix/stat-table";
import { diskCalls } from "../best_calls.ts";
import { DiskError } from "../disk_error.ts";
import { openTarget } from "./open_target.ts";
import { FileReader } from "../source/source_file.ts";
import type { Target } from "./target.ts";
import type { TargetDirectory } from "./target_directories.ts";
import type { TargetEntries } from "./target_entries.ts";
import {
  BACK_ENDS,
  bytes,
  hooked,
  isReduced,
  putNothing,
  tempDir,
  text,
} from "../testdata/temp_dir.ts";

const isRoot = Deno.uid() === 0;

function errorOf(act: () => unknown): DiskError {
  try {
    act();
  } catch (error) {
    if (error instanceof DiskError) return error;
    throw error;
  }
  throw new Error("Cannot fail as nothing is wrong");
}

function writeFile(
  target: Target,
  at: TargetDirectory,
  name: string,
  content: string,
): void {
  using file = target.createFile(at, bytes(name));
  file.write(bytes(content), 0);
  assert.deepEqual(file.setAttributes({ mode: 0o644 }), []);
  file.finish();
}

/** A target beside a folder that must stay as it is. */
function hostileDir():
  & { path: string; target: string; outside: string }
  & Disposable {
  const dir = tempDir();
  const target = `${dir.path}/target`;
  const outside = `${dir.path}/outside`;
  mkdirSync(target);
  mkdirSync(`${outside}/sub`, { recursive: true });
  writeFileSync(`${outside}/file`, "precious");
  writeFileSync(`${outside}/sub/file`, "precious");
  return {
    path: dir.path,
    target,
    outside,
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  };
}

function assertUntouched(outside: string): void {
  assert.deepEqual(readdirSync(outside).sort(), ["file", "sub"]);
  assert.deepEqual(readdirSync(`${outside}/sub`), ["file"]);
  for (const path of [`${outside}/file`, `${outside}/sub/file`]) {
    assert.equal(readFileSync(path, "utf8"), "precious");
    assert.equal(statSync(path).mode & 0o7777, 0o644);
  }
}

const BAD_NAMES = [
  "",
  ".",
  "..",
  "a/b",
  "/",
  "/etc",
  "../x",
  "a\0b",
  "x".repeat(256),
];

for (const [name, calls] of BACK_ENDS) {
  Deno.test(`${name} target writes files into directories`, () => {
    using dir = tempDir();
    using target = openTarget(`${dir.path}/new/target`, {
      create: true,
      calls,
    });
    const sub = target.directory(target.root, bytes("sub"), { create: true });
    assert.ok(sub.isNew);
    using file = target.createFile(sub, bytes("file"));
    file.write(bytes("world"), 6);
    file.write(bytes("hello "), 0);
    const wanted = { mode: 0o640, mtimeSec: 1_000_000_000, mtimeNs: 5_000_000 };
    assert.deepEqual(file.setAttributes(wanted), []);
    file.finish();
    const wantedDirectory = { mode: 0o751, mtimeSec: -5, mtimeNs: 250_000_000 };
    assert.deepEqual(target.setDirectoryAttributes(sub, wantedDirectory), []);
    const path = `${dir.path}/new/target/sub`;
    assert.equal(readFileSync(`${path}/file`, "utf8"), "hello world");
    assert.equal(statSync(`${path}/file`).mode & 0o7777, 0o640);
    assert.equal(
      Math.round(statSync(`${path}/file`).mtimeMs),
      1_000_000_000_005,
    );
    assert.equal(statSync(path).mode & 0o7777, 0o751);
    assert.equal(Math.round(statSync(path).mtimeMs), -4750);
    assert.equal(statSync(`${dir.path}/new/target`).mode & 0o7777, 0o700);
  });

  Deno.test(`${name} target writes nothing over what is there, but by a temporary name`, () => {
    using dir = tempDir();
    writeFileSync(`${dir.path}/file`, "old");
    linkSync(`${dir.path}/file`, `${dir.path}/other-name`);
    using target = openTarget(dir.path, { calls });
    assert.equal(
      errorOf(() => target.createFile(target.root, bytes("file"))).code,
      "EEXIST",
    );
    using file = target.createFile(target.root, bytes("file"), {
      temporary: true,
    });
    file.write(bytes("new"), 0);
    assert.equal(readFileSync(`${dir.path}/file`, "utf8"), "old");
    assert.equal(readdirSync(dir.path).length, 3);
    file.finish();
    assert.equal(readFileSync(`${dir.path}/file`, "utf8"), "new");
    assert.equal(readFileSync(`${dir.path}/other-name`, "utf8"), "old");
    assert.equal(readdirSync(dir.path).length, 2);
  });

  Deno.test(`${name} target that is closed does nothing more`, () => {
    using dir = tempDir();
    const target = openTarget(dir.path, { calls });
    const a = target.directory(target.root, bytes("a"), { create: true });
    target[Symbol.dispose]();
    target[Symbol.dispose]();
    assert.equal(
      errorOf(() => target.createFile(target.root, bytes("b"))).code,
      "EBADF",
    );
    assert.equal(errorOf(() => target.createFile(a, bytes("b"))).code, "EBADF");
  });

  Deno.test(`${name} target sets times before 1970 on a file`, () => {
    using dir = tempDir();
    using target = openTarget(dir.path, { calls });
    using file = target.createFile(target.root, bytes("file"));
    assert.deepEqual(
      file.setAttributes({ mtimeSec: -5, mtimeNs: 250_000_000 }),
      [],
    );
    file.finish();
    assert.equal(Math.round(statSync(`${dir.path}/file`).mtimeMs), -4750);
  });

  Deno.test(`${name} target removes a file that is not finished`, () => {
    using dir = tempDir();
    using target = openTarget(dir.path, { calls });
    assert.throws(() => {
      using file = target.createFile(target.root, bytes("a"));
      using other = target.createFile(target.root, bytes("b"), {
        temporary: true,
      });
      file.write(bytes("half"), 0);
      other.write(bytes("half"), 0);
      throw new Error("stop");
    }, /stop/);
    assert.deepEqual(readdirSync(dir.path), []);
  });

  Deno.test(`${name} target leaves no file when it cannot give it its name`, () => {
    using dir = tempDir();
    mkdirSync(`${dir.path}/file/sub`, { recursive: true });
    using target = openTarget(dir.path, { calls });
    using file = target.createFile(target.root, bytes("file"), {
      temporary: true,
    });
    assert.match(errorOf(() => file.finish()).code, /EISDIR|ENOTEMPTY|EEXIST/);
    assert.deepEqual(readdirSync(dir.path), ["file"]);
  });

  Deno.test(`${name} target refuses every unsafe name, everywhere`, () => {
    using dir = hostileDir();
    using target = openTarget(dir.target, { calls });
    const { root } = target;
    writeFile(target, root, "good", "");
    const stats = new StatTable(1);
    for (const bad of BAD_NAMES.map(bytes)) {
      const acts = [
        () => target.directory(root, bad, { create: true }),
        () => target.directory(root, bad),
        () => target.createFile(root, bad),
        () => target.createFile(root, bad, { temporary: true }),
        () => target.symlink(root, bad, bytes("x")),
        () =>
          target.hardLink(root, bad, { directory: root, name: bytes("good") }),
        () => target.hardLink(root, bytes("x"), { directory: root, name: bad }),
        () => target.fifo(root, bad),
        () => target.device(root, bad, "block", { major: 7, minor: 0 }),
        () => target.setAttributes(root, bad, { mode: 0 }),
        () => target.stat(root, bad, stats, 0),
        () => target.removeTree(root, bad),
      ];
      for (const act of acts) {
        assert.equal(
          errorOf(act).code,
          "EUNSAFE",
          `${act} with ${JSON.stringify(text(bad))}`,
        );
      }
    }
    for (const path of ["..", "a/../..", "./a", "good/."]) {
      assert.equal(
        errorOf(() => target.directoryAt(bytes(path))).code,
        "EUNSAFE",
        path,
      );
    }
    for (const to of ["", "a\0b", "x".repeat(4096)]) {
      assert.equal(
        errorOf(() => target.symlink(root, bytes("l"), bytes(to))).code,
        "EUNSAFE",
      );
    }
    assert.deepEqual(readdirSync(dir.target), ["good"]);
    assertUntouched(dir.outside);
  });

  Deno.test(`${name} target follows no link that was planted, at any step`, () => {
    using dir = hostileDir();
    using target = openTarget(dir.target, { calls });
    const { root } = target;
    symlinkSync("../outside", `${dir.target}/way`);
    symlinkSync("../outside/file", `${dir.target}/file`);
    mkdirSync(`${dir.target}/a`);
    symlinkSync("../../outside/sub", `${dir.target}/a/sub`);
    const way = errorOf(() =>
      target.directory(root, bytes("way"), { create: true })
    );
    assert.equal(
      way.message,
      "Cannot open directory way: a symlink is in the way (ELOOP)",
    );
    assert.equal(
      errorOf(() => target.directory(root, bytes("way"))).code,
      "ELOOP",
    );
    const deep = errorOf(() => target.directoryAt(bytes("a/sub/x")));
    assert.deepEqual([text(deep.path), deep.code], ["a/sub", "ELOOP"]);
    assert.equal(
      errorOf(() => target.createFile(root, bytes("file"))).code,
      "EEXIST",
    );
    assert.equal(
      errorOf(() => target.symlink(root, bytes("way"), bytes("x"))).code,
      "EEXIST",
    );
    const problems = target.setAttributes(root, bytes("file"), {
      mode: 0o777,
      mtimeSec: 5,
    });
    assert.deepEqual(problems, []);
    assert.equal(Math.round(lstatSync(`${dir.target}/file`).mtimeMs), 5000);
    target.hardLink(root, bytes("second"), {
      directory: root,
      name: bytes("file"),
    });
    assert.ok(lstatSync(`${dir.target}/second`).isSymbolicLink());
    using file = target.createFile(root, bytes("file"), { temporary: true });
    file.write(bytes("mine"), 0);
    file.finish();
    assert.equal(readFileSync(`${dir.target}/file`, "utf8"), "mine");
    target.removeTree(root, bytes("way"));
    target.removeTree(root, bytes("a"));
    assert.deepEqual(readdirSync(dir.target).sort(), ["file", "second"]);
    assertUntouched(dir.outside);
  });

  Deno.test(`${name} target does not follow a link that takes the place of a known directory`, () => {
    using dir = hostileDir();
    using target = openTarget(dir.target, { calls, openMax: 2 });
    const known = target.directory(target.root, bytes("known"), {
      create: true,
    });
    const inner = target.directory(known, bytes("sub"), { create: true });
    // So many others that both are closed, and have to be opened again.
    for (let i = 0; i < 5; i++) {
      target.directory(target.root, bytes(`d${i}`), { create: true });
    }
    renameSync(`${dir.target}/known`, `${dir.target}/moved`);
    symlinkSync("../outside", `${dir.target}/known`);
    const error = errorOf(() => target.createFile(inner, bytes("new")));
    assert.deepEqual([text(error.path), error.code], ["known", "ELOOP"]);
    assert.equal(
      errorOf(() => target.createFile(known, bytes("new"))).code,
      "ELOOP",
    );
    assert.equal(
      errorOf(() => target.removeTree(known, bytes("file"))).code,
      "ELOOP",
    );
    assert.equal(errorOf(() => runAtOnce(target.list(known))).code, "ELOOP");
    assertUntouched(dir.outside);
  });

  Deno.test(`${name} target does not write through a link while a directory is open`, () => {
    using dir = hostileDir();
    using target = openTarget(dir.target, { calls });
    const known = target.directory(target.root, bytes("known"), {
      create: true,
    });
    renameSync(`${dir.target}/known`, `${dir.target}/moved`);
    symlinkSync("../outside", `${dir.target}/known`);
    try {
      using file = target.createFile(known, bytes("new"));
      file.finish();
      assert.deepEqual(readdirSync(`${dir.target}/moved`), ["new"]);
    } catch (error) {
      assert.ok(error instanceof DiskError);
    }
    assertUntouched(dir.outside);
  });

  Deno.test(`${name} target makes links and lists what is there`, () => {
    using dir = tempDir();
    using target = openTarget(dir.path, { calls });
    const { root } = target;
    const a = target.directory(root, bytes("a"), { create: true });
    const b = target.directory(root, bytes("b"), { create: true });
    assert.equal(
      target.directory(root, bytes("b"), { create: true }).isNew,
      false,
    );
    writeFile(target, a, "file", "content");
    target.hardLink(b, bytes("hard"), { directory: a, name: bytes("file") });
    target.symlink(b, bytes("soft"), bytes("../a/file"));
    assert.deepEqual(
      target.setAttributes(b, bytes("soft"), { mtimeSec: 77, mode: 0o777 }),
      [],
    );
    assert.equal(statSync(`${dir.path}/b/hard`).nlink, 2);
    assert.equal(readlinkSync(`${dir.path}/b/soft`), "../a/file");
    assert.equal(lstatSync(`${dir.path}/b/soft`).mtimeMs, 77_000);
    for (let round = 0; round < 2; round++) {
      const { count, ends, names, stats } = runAtOnce(target.list(b));
      assert.deepEqual([count, [...ends], text(names)], [
        2,
        [4, 8],
        "hardsoft",
      ]);
      assert.equal(stats.nlink(0), 2);
    }
    assert.equal(target.directoryAt(bytes("b")).isNew, false);
    const stats = new StatTable(1);
    assert.equal(target.stat(a, bytes("none"), stats, 0), false);
    assert.equal(target.stat(a, bytes("file"), stats, 0), true);
    assert.equal(stats.size(0), 7);
    assert.equal(
      errorOf(() => target.setAttributes(a, bytes("none"), {})).code,
      "ENOENT",
    );
  });

  Deno.test(`${name} target removes trees`, () => {
    using dir = tempDir();
    mkdirSync(`${dir.path}/a/b/c`, { recursive: true });
    for (const path of ["a/1", "a/b/2", "a/b/c/3"]) {
      writeFileSync(`${dir.path}/${path}`, "");
    }
    using target = openTarget(dir.path, { calls });
    const b = target.directoryAt(bytes("a/b"));
    target.removeTree(target.root, bytes("a"));
    target.removeTree(target.root, bytes("a"));
    assert.deepEqual(readdirSync(dir.path), []);
    assert.equal(
      errorOf(() => target.createFile(b, bytes("x"))).code,
      "ENOENT",
    );
  });

  Deno.test(`${name} target writes around holes, but no byte is lost`, () => {
    using dir = tempDir();
    const size = 1 << 20;
    const content = new Uint8Array(size);
    content.fill(1, 0, 4096).fill(2, 600_000, 604_000);
    // The second hole lies: there are bytes in it.
    const holes = Float64Array.of(
      4096,
      500_000 - 4096,
      512_000,
      200_000,
      800_000,
      size - 800_000,
    );
    using target = openTarget(dir.path, { calls });
    using file = target.createFile(target.root, bytes("file"));
    for (let at = 0; at < size; at += 65536) {
      file.writeSparse(content.subarray(at, at + 65536), at, holes);
    }
    file.setSize(size);
    file.finish();
    assert.deepEqual(new Uint8Array(readFileSync(`${dir.path}/file`)), content);
    assert.ok(statSync(`${dir.path}/file`).blocks * 512 < size / 2);
  });

  Deno.test(`${name} target names the directory that it cannot make`, () => {
    using dir = tempDir();
    writeFileSync(`${dir.path}/file`, "");
    const below = () =>
      openTarget(`${dir.path}/file/x`, { create: true, calls });
    assert.equal(errorOf(below).code, "ENOTDIR");
    assert.equal(
      errorOf(() => openTarget(`${dir.path}/none`, { calls })).code,
      "ENOENT",
    );
    using trailing = openTarget(`${dir.path}/a/b/`, { create: true, calls });
    assert.ok(trailing && existsSync(`${dir.path}/a/b`));
  });
}

Deno.test({
  name:
    "native target makes fifos and devices, sets owners, set-id bits and attributes",
  ignore: isReduced || !isRoot,
  fn() {
    using dir = tempDir();
    using target = openTarget(dir.path);
    const { root } = target;
    target.fifo(root, bytes("fifo"));
    target.device(root, bytes("char"), "character", {
      major: 259,
      minor: 70000,
    });
    target.device(root, bytes("block"), "block", { major: 7, minor: 3 });
    const owner = {
      uid: 12,
      gid: 34,
      mode: 0o4755,
      mtimeSec: -1,
      mtimeNs: 123_456_789,
    };
    using file = target.createFile(root, bytes("file"));
    const xattrs = [
      { name: bytes("user.a"), value: bytes("b") },
      {
        name: bytes("security.snap-test"),
        value: new Uint8Array(2000).fill(7),
      },
    ];
    assert.deepEqual(file.setAttributes({ ...owner, xattrs }), []);
    file.finish();
    for (const name of ["fifo", "char", "block"]) {
      assert.deepEqual(
        target.setAttributes(root, bytes(name), { ...owner, mode: 0o612 }),
        [],
      );
    }
    const { count, names, stats, ends } = runAtOnce(target.list(root));
    assert.equal(count, 4);
    for (let i = 0, start = 0; i < count; start = ends[i++]) {
      const isFile = text(names.subarray(start, ends[i])) === "file";
      assert.deepEqual([stats.uid(i), stats.gid(i)], [12, 34]);
      assert.equal(stats.mode(i) & 0o7777, isFile ? 0o4755 : 0o612);
      assert.deepEqual([stats.mtimeSec(i), stats.mtimeNs(i)], [
        -1,
        123_456_789,
      ]);
    }
    assert.deepEqual([stats.rdevMajor(1), stats.rdevMinor(1)], [259, 70000]);
    using reader = new FileReader(dir.path);
    reader.open(bytes(""), bytes("file"));
    assert.ok(reader.extras(stats, 3, putNothing));
  },
});

Deno.test({
  name: "native target leaves out set-id bits where the owner cannot be set",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    const calls = hooked(diskCalls(), { fchown: () => -1 });
    using target = openTarget(dir.path, { calls });
    using file = target.createFile(target.root, bytes("file"));
    const problems = file.setAttributes({ uid: 12345, mode: 0o6755 });
    file.finish();
    assert.deepEqual(problems.map(({ message }) => message), [
      "Cannot set owner of file: it is not permitted (EPERM)",
    ]);
    assert.equal(statSync(`${dir.path}/file`).mode & 0o7777, 0o755);
  },
});

Deno.test({
  name: "native target needs five calls for a plain file",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    const made: string[] = [];
    const counted = new Proxy(diskCalls(), {
      get(target, key) {
        const value = target[key as keyof typeof target];
        if (typeof value !== "function") return value;
        return (...values: never[]) => {
          made.push(String(key));
          return (value as (...values: never[]) => unknown)(...values);
        };
      },
    });
    using target = openTarget(dir.path, { calls: counted });
    const uid = Deno.uid() ?? 0;
    const gid = Deno.gid() ?? 0;
    for (const name of ["first", "second"]) {
      made.length = 0;
      using file = target.createFile(target.root, bytes(name));
      file.write(bytes("content"), 0);
      file.setAttributes({ uid, gid, mode: 0o644, mtimeSec: 1, mtimeNs: 2 });
      file.finish();
    }
    assert.deepEqual(made, ["openAt", "pwrite", "fchmod", "futimens", "close"]);
  },
});

Deno.test({
  name: "native target keeps names that are not UTF-8, and nests deep",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    using target = openTarget(dir.path);
    let directory = target.root;
    const name = Uint8Array.of(0xff, 0x20, 0xfe);
    for (let depth = 0; depth < 60; depth++) {
      directory = target.directory(directory, name, { create: true });
    }
    writeFile(target, directory, "file", "deep");
    const again = target.directoryAt(directory.path);
    assert.equal(runAtOnce(target.list(again)).count, 1);
    target.removeTree(target.root, name);
    assert.equal(runAtOnce(target.list(target.root)).count, 0);
    rmSync(dir.path, { recursive: true });
  },
});

for (const [backEnd, calls] of BACK_ENDS) {
  Deno.test(`${backEnd} target lists a wide directory in steps, and others in between`, () => {
    using dir = tempDir();
    const wide = Array.from({ length: 1000 }, (_, i) => `name ${i}`);
    for (const name of wide) writeFileSync(`${dir.path}/${name}`, "");
    mkdirSync(`${dir.path}/other`);
    writeFileSync(`${dir.path}/other/one`, "");
    using target = openTarget(dir.path, { calls });
    const namesOf = ({ names, ends }: TargetEntries): string[] =>
      Array.from(ends, (end, i) => text(names.subarray(ends[i - 1] ?? 0, end)));
    const other = target.directory(target.root, bytes("other"));
    const steps = target.list(target.root);
    let count = 0;
    let step = steps.next();
    for (; !step.done; step = steps.next(), count++) {
      assert.deepEqual(namesOf(runAtOnce(target.list(other))), ["one"]);
    }
    assert.ok(count >= 10, `${count} steps`);
    assert.deepEqual(namesOf(step.value), [...wide, "other"].sort());
  });
}
