import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "@snap/posix/constants";
import { diskCalls } from "../best_calls.ts";
import { DiskError } from "../disk_error.ts";
import { decodeExtras } from "@snap/manifest/extras";
import { IgnoreRules, RULE_FILE_SIZE_MAX } from "../ignore/ignore_rules.ts";
import { openTarget } from "../target/open_target.ts";
import { identifyPath, openSource, type SourceOptions } from "./source.ts";
import type { SourceDirectory } from "./source_directory.ts";
import { asNobody } from "../testdata/as_nobody.ts";
import {
  BACK_ENDS,
  bytes,
  hooked,
  isReduced,
  pathsOf,
  putNothing,
  tempDir,
  text,
} from "../testdata/temp_dir.ts";

const isRoot = Deno.uid() === 0;

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: "ignore" });
}

function canRun(command: string, ...args: string[]): boolean {
  try {
    run(command, ...args);
    return true;
  } catch {
    return false;
  }
}

function rowOf(directory: SourceDirectory, name: string): number {
  for (let i = 0; i < directory.count; i++) {
    if (text(directory.name(i)) === name) return i;
  }
  throw new Error(`${name} is not listed`);
}

function kinds(path: string, options: SourceOptions): Record<string, number> {
  using source = openSource(path, options);
  using root = source.root();
  const found: Record<string, number> = {};
  for (let i = 0; i < root.count; i++) {
    found[text(root.name(i))] = root.stats.mode(i) & S_IFMT;
  }
  return found;
}

for (const [name, calls] of BACK_ENDS) {
  Deno.test(`${name} source lists every kind of entry`, () => {
    using dir = tempDir();
    writeFileSync(`${dir.path}/file`, "content");
    mkdirSync(`${dir.path}/directory`);
    symlinkSync("nowhere", `${dir.path}/link`);
    run("mkfifo", `${dir.path}/fifo`);
    assert.deepEqual(kinds(dir.path, { calls }), {
      directory: S_IFDIR,
      fifo: S_IFIFO,
      file: S_IFREG,
      link: S_IFLNK,
    });
    using source = openSource(dir.path, { calls });
    using root = source.root();
    assert.equal(
      text(root.targetOf(rowOf(root, "link")) as Uint8Array),
      "nowhere",
    );
    assert.equal(root.stats.size(rowOf(root, "file")), 7);
    assert.equal(root.self.mode(0) & S_IFMT, S_IFDIR);
  });

  Deno.test({
    name: `${name} source lists devices`,
    ignore: !isRoot,
    fn() {
      using dir = tempDir();
      run("mknod", `${dir.path}/character`, "c", "259", "70000");
      run("mknod", `${dir.path}/block`, "b", "7", "3");
      assert.deepEqual(kinds(dir.path, { calls }), {
        block: S_IFBLK,
        character: S_IFCHR,
      });
      using source = openSource(dir.path, { calls });
      using root = source.root();
      const { stats } = root;
      const character = rowOf(root, "character");
      assert.deepEqual(
        [stats.rdevMajor(character), stats.rdevMinor(character)],
        [259, 70000],
      );
      const block = rowOf(root, "block");
      assert.deepEqual([stats.rdevMajor(block), stats.rdevMinor(block)], [
        7,
        3,
      ]);
    },
  });

  Deno.test(`${name} source drops and counts sockets`, async () => {
    using dir = tempDir();
    writeFileSync(`${dir.path}/file`, "");
    using socket = Deno.listen({
      transport: "unix",
      path: `${dir.path}/socket`,
    });
    assert.ok(socket);
    mkdirSync(`${dir.path}/a`);
    using other = Deno.listen({
      transport: "unix",
      path: `${dir.path}/a/socket`,
    });
    assert.ok(other);
    const sockets: string[] = [];
    using source = openSource(dir.path, {
      calls,
      onSocket: (path) => sockets.push(text(path)),
    });
    assert.deepEqual(pathsOf(source), ["a/", "file"]);
    assert.equal(source.drops.sockets, 2);
    assert.deepEqual(sockets.sort(), ["a/socket", "socket"]);
    await Promise.resolve();
  });

  Deno.test(`${name} source walks in byte order, to any depth`, () => {
    using dir = tempDir();
    let path = dir.path;
    const expected: string[] = [];
    for (let depth = 0; depth < 60; depth++) {
      path += "/d";
      mkdirSync(path);
      expected.push(path.slice(dir.path.length + 1) + "/");
    }
    writeFileSync(`${path}/file`, "");
    expected.push(path.slice(dir.path.length + 1) + "/file");
    using source = openSource(dir.path, { calls });
    assert.deepEqual(pathsOf(source), expected);
    assert.deepEqual(source.errors, []);
  });

  Deno.test(`${name} source lists a large directory in byte order`, () => {
    using dir = tempDir();
    const names = Array.from(
      { length: 5000 },
      (_, i) => `${(i * 7919) % 5000}-name`,
    );
    for (const name of names) writeFileSync(`${dir.path}/${name}`, "");
    using source = openSource(dir.path, { calls });
    assert.deepEqual(pathsOf(source), names.sort());
  });

  Deno.test(`${name} source follows a link that is its root, and no other`, () => {
    using dir = tempDir();
    mkdirSync(`${dir.path}/a/b`, { recursive: true });
    symlinkSync("a", `${dir.path}/to-a`);
    symlinkSync("b", `${dir.path}/a/to-b`);
    using source = openSource(`${dir.path}/to-a`, { calls });
    assert.deepEqual(pathsOf(source), ["b/", "to-b"]);
  });

  Deno.test(`${name} source has times before 1970`, () => {
    using dir = tempDir();
    run("touch", "-d", "1969-12-31 23:59:58.5 UTC", `${dir.path}/file`);
    using source = openSource(dir.path, { calls });
    using root = source.root();
    assert.equal(root.stats.mtimeSec(0), -2);
    assert.equal(root.stats.mtimeNs(0), 500_000_000);
  });

  Deno.test(`${name} source that is not there is an error with its path`, () => {
    using source = openSource("/nowhere/at-all", { calls });
    assert.throws(() => source.root(), (error: DiskError) => {
      return error instanceof DiskError && error.code === "ENOENT" &&
        error.message.startsWith("Cannot open directory /nowhere/at-all: ");
    });
  });

  Deno.test(`${name} source leaves out the store that it is saved into`, () => {
    using dir = tempDir();
    mkdirSync(`${dir.path}/deep/store/packs`, { recursive: true });
    const excludeStore = identifyPath(`${dir.path}/deep/store`, calls);
    assert.ok(excludeStore);
    using source = openSource(dir.path, { calls, excludeStore });
    assert.deepEqual(pathsOf(source), ["deep/"]);
    assert.equal(source.drops.stores, 1);
    assert.equal(identifyPath(`${dir.path}/nothing`, calls), undefined);
  });

  Deno.test(`${name} source notes an entry that vanishes before it is looked at`, () => {
    using dir = tempDir();
    for (const name of ["a", "b", "c"]) {
      writeFileSync(`${dir.path}/${name}`, "");
    }
    const statAt: typeof calls.statAt = (
      directory,
      name,
      flags,
      table,
      row,
    ) => {
      if (name[0] === 0x62) rmSync(`${dir.path}/b`, { force: true });
      return calls.statAt(directory, name, flags, table, row);
    };
    using source = openSource(dir.path, { calls: hooked(calls, { statAt }) });
    assert.deepEqual(pathsOf(source), ["a", "c"]);
    assert.deepEqual(
      source.errors.map(({ action, code, path }) => [action, code, text(path)]),
      [
        ["stat", "ENOENT", "b"],
      ],
    );
  });

  Deno.test(`${name} source notes a directory that became a link`, () => {
    using dir = tempDir();
    mkdirSync(`${dir.path}/a`);
    mkdirSync(`${dir.path}/b`);
    using source = openSource(dir.path, { calls });
    using root = source.root();
    rmSync(`${dir.path}/a`, { recursive: true });
    symlinkSync("b", `${dir.path}/a`);
    const child = root.child(0);
    assert.ok(child instanceof DiskError);
    assert.match(child.code, /ENOTDIR|ELOOP/);
    assert.deepEqual(source.errors, [child]);
  });

  Deno.test({
    name: `${name} source on one file system keeps a mount point, empty`,
    ignore: !isRoot || !canMount(),
    fn() {
      using dir = tempDir();
      mkdirSync(`${dir.path}/mounted`);
      mkdirSync(`${dir.path}/plain`);
      run("mount", "-t", "tmpfs", "none", `${dir.path}/mounted`);
      try {
        writeFileSync(`${dir.path}/mounted/file`, "");
        using all = openSource(dir.path, { calls });
        assert.deepEqual(pathsOf(all), ["mounted/", "mounted/file", "plain/"]);
        using one = openSource(dir.path, { calls, oneFileSystem: true });
        assert.deepEqual(pathsOf(one), ["mounted/", "plain/"]);
        assert.equal(one.drops.mounts, 1);
      } finally {
        run("umount", "-l", `${dir.path}/mounted`);
      }
    },
  });

  Deno.test(`${name} source applies rule files and patterns`, () => {
    using dir = tempDir();
    mkdirSync(`${dir.path}/logs/keep`, { recursive: true });
    mkdirSync(`${dir.path}/build`);
    writeFileSync(`${dir.path}/build/out`, "");
    writeFileSync(`${dir.path}/a.tmp`, "");
    writeFileSync(`${dir.path}/logs/x.log`, "");
    writeFileSync(`${dir.path}/logs/y.log`, "");
    writeFileSync(`${dir.path}/logs/keep/build`, "");
    writeFileSync(`${dir.path}/.snapignore`, "build/\n*.log\n");
    writeFileSync(`${dir.path}/logs/.snapignore`, "!y.log\n");
    const ignore = new IgnoreRules({ exclude: ["*.tmp"] });
    using source = openSource(dir.path, { calls, ignore });
    assert.deepEqual(pathsOf(source), [
      ".snapignore",
      "logs/",
      "logs/.snapignore",
      "logs/keep/",
      "logs/keep/build",
      "logs/y.log",
    ]);
    assert.equal(source.drops.ignored, 3);
  });

  Deno.test(`${name} source keeps the tag alone of a cache, if asked`, () => {
    using dir = tempDir();
    const signature =
      "Signature: 8a477f597d28d172789f06886806bc55\n# made by a build";
    for (
      const [name, tag] of [["cache", signature], ["other", "not a signature"]]
    ) {
      mkdirSync(`${dir.path}/${name}/sub`, { recursive: true });
      writeFileSync(`${dir.path}/${name}/CACHEDIR.TAG`, tag);
      writeFileSync(`${dir.path}/${name}/file`, "");
    }
    const ignore = new IgnoreRules({ excludeCaches: true });
    using source = openSource(dir.path, { calls, ignore });
    assert.deepEqual(pathsOf(source), [
      "cache/",
      "cache/CACHEDIR.TAG",
      "other/",
      "other/CACHEDIR.TAG",
      "other/file",
      "other/sub/",
    ]);
    using itself = openSource(`${dir.path}/cache`, { calls, ignore });
    assert.deepEqual(pathsOf(itself), ["CACHEDIR.TAG", "file", "sub/"]);
    using unasked = openSource(dir.path, { calls });
    assert.equal(pathsOf(unasked).length, 8);
  });
}

function canMount(): boolean {
  using dir = tempDir();
  if (!canRun("mount", "-t", "tmpfs", "none", dir.path)) return false;
  run("umount", "-l", dir.path);
  return true;
}

Deno.test({
  name: "native source has names that are not UTF-8, and times in nanoseconds",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    const name = Uint8Array.of(0x61, 0xff, 0xfe);
    run(
      "bash",
      "-c",
      `touch -d '1969-12-31 23:59:58.123456789 UTC' '${dir.path}/'$'a\\xff\\xfe'`,
    );
    using source = openSource(dir.path);
    using root = source.root();
    assert.deepEqual(root.name(0), name);
    assert.equal(root.stats.mtimeSec(0), -2);
    assert.equal(root.stats.mtimeNs(0), 123456789);
    assert.deepEqual(source.errors, []);
  },
});

Deno.test("reduced source notes a name that is not UTF-8", () => {
  using dir = tempDir();
  run("bash", "-c", `touch '${dir.path}/'$'a\\xff'`);
  const calls = BACK_ENDS.get("node")!;
  using source = openSource(dir.path, { calls });
  assert.equal(source.fidelity, "reduced");
  assert.deepEqual(pathsOf(source), []);
  assert.equal(source.errors.length, 1);
});

Deno.test("source closes what its user forgot", () => {
  using dir = tempDir();
  mkdirSync(`${dir.path}/a/b`, { recursive: true });
  const calls = diskCalls();
  let open = 0;
  const counted = hooked(calls, {
    open: (path, flags, mode) => count(calls.open(path, flags, mode)),
    openAt: (at, path, flags, mode) =>
      count(calls.openAt(at, path, flags, mode)),
    close(fd) {
      open--;
      return calls.close(fd);
    },
  });
  const count = (fd: number): number => {
    if (fd >= 0) open++;
    return fd;
  };
  {
    using source = openSource(dir.path, { calls: counted });
    const child = source.root().child(0);
    assert.ok(!(child instanceof DiskError));
    assert.equal(open, 2);
  }
  assert.equal(open, 0);
});

Deno.test({
  name: "source notes a directory that the user may not read, and goes on",
  ignore: !isRoot,
  async fn() {
    using dir = tempDir();
    mkdirSync(`${dir.path}/a/hidden`, { recursive: true });
    mkdirSync(`${dir.path}/b`);
    chmodSync(`${dir.path}/a`, 0);
    chmodSync(dir.path, 0o755);
    const lines = await asNobody(
      `import { openSource } from "@snap/disk/source";
       using source = openSource(${JSON.stringify(dir.path)});
       using root = source.root();
       for (let i = 0; i < root.count; i++) root.child(i);
       console.log(root.count, source.errors.map((e) => e.message).join("|"));`,
    );
    assert.equal(
      lines.trim(),
      "2 Cannot open directory a: permission is denied (EACCES)",
    );
  },
});

Deno.test({
  name: "source stops where directories nest deeper than a tree may",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    using target = openTarget(dir.path);
    const name = bytes("d");
    let directory = target.root;
    for (let depth = 0; depth < 1030; depth++) {
      directory = target.directory(directory, name, { create: true });
    }
    using source = openSource(dir.path);
    // The last is listed in its parent, and not entered.
    assert.equal(pathsOf(source).length, 1025);
    assert.deepEqual(source.errors.map(({ code }) => code), ["EDEPTH"]);
    target.removeTree(target.root, name);
  },
});

Deno.test({
  name:
    "source notes rules that cannot be read, and keeps what they might ignore",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    mkdirSync(`${dir.path}/a/.snapignore`, { recursive: true });
    symlinkSync("/dev/null", `${dir.path}/.snapignore`);
    mkdirSync(`${dir.path}/b`);
    mkdirSync(`${dir.path}/c`);
    for (const [name, size] of [["b", 1], ["c", 0]] as const) {
      const rules = "x\n".padEnd(RULE_FILE_SIZE_MAX + size, "#");
      writeFileSync(`${dir.path}/${name}/.snapignore`, rules);
      writeFileSync(`${dir.path}/${name}/x`, "");
    }
    using source = openSource(dir.path);
    const paths = pathsOf(source);
    assert.equal(paths.length, 8);
    assert.ok(paths.includes("b/x"));
    assert.ok(!paths.includes("c/x"));
    assert.match(
      source.errors[2].message,
      /^Cannot read more than 1 MiB of rules of b\/\.snapignore/,
    );
    assert.deepEqual(
      source.errors.map(({ code, path }) => `${text(path)} ${code}`),
      [
        ".snapignore ELOOP",
        "a/.snapignore EISDIR",
        "b/.snapignore EFBIG",
      ],
    );
  },
});

Deno.test({
  name: "source reads attributes of directories and links",
  ignore: isReduced || !isRoot,
  fn() {
    using dir = tempDir();
    mkdirSync(`${dir.path}/a`);
    symlinkSync("nowhere", `${dir.path}/link`);
    run("setfattr", "-n", "user.of-a", "-v", "1", `${dir.path}/a`);
    run(
      "setfattr",
      "-h",
      "-n",
      "security.of-link",
      "-v",
      "2",
      `${dir.path}/link`,
    );
    using source = openSource(dir.path);
    using root = source.root();
    using a = root.child(0) as SourceDirectory;
    const names = (extras: Uint8Array | undefined | DiskError): string[] => {
      assert.ok(extras instanceof Uint8Array);
      return decodeExtras(extras).xattrs.map((xattr) => text(xattr.name));
    };
    assert.deepEqual(names(a.extras(putNothing)), ["user.of-a"]);
    assert.deepEqual(names(root.extrasOf(1, putNothing)), ["security.of-link"]);
    assert.equal(root.extras(putNothing), undefined);
    rmSync(`${dir.path}/link`);
    assert.ok(root.extrasOf(1, putNothing) instanceof DiskError);
    assert.ok(root.targetOf(1) instanceof DiskError);
    assert.equal(source.errors.length, 2);
  },
});
