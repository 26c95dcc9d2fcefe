import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { decodeExtras, decodeHoles } from "@snap/manifest/extras";
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  EPERM,
  O_NOATIME,
} from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import { diskCalls } from "../best_calls.ts";
import { DiskError } from "../disk_error.ts";
import { FileReader } from "./source_file.ts";
import { asNobody } from "../testdata/as_nobody.ts";
import {
  BACK_ENDS,
  bytes,
  hooked,
  isReduced,
  putNothing,
  tempDir,
  text,
} from "../testdata/temp_dir.ts";

const NOWHERE = bytes("");

function statOf(path: string, calls = diskCalls()): StatTable {
  const table = new StatTable(1);
  const result = calls.statAt(
    AT_FDCWD,
    bytes(`${path}\0`),
    AT_SYMLINK_NOFOLLOW,
    table,
    0,
  );
  assert.equal(result, 0);
  return table;
}

function codeOf(act: () => void): string {
  try {
    act();
  } catch (error) {
    if (error instanceof DiskError) return error.code;
    throw error;
  }
  return "none";
}

for (const [name, calls] of BACK_ENDS) {
  Deno.test(`${name} FileReader reads files of several directories`, () => {
    using dir = tempDir();
    mkdirSync(`${dir.path}/a/b`, { recursive: true });
    writeFileSync(`${dir.path}/top`, "one");
    writeFileSync(`${dir.path}/a/b/deep`, "two and three");
    using reader = new FileReader(dir.path, calls);
    const out = new Uint8Array(5);
    reader.open(NOWHERE, bytes("top"), Deno.uid() ?? 0);
    assert.equal(reader.read(out, 0), 3);
    assert.equal(reader.read(out, 3), 0);
    reader.open(bytes("a/b"), bytes("deep"));
    assert.equal(reader.read(out, 4), 5);
    assert.equal(text(out), "and t");
    reader.open(NOWHERE, bytes("top"));
    assert.equal(reader.read(out, 1), 2);
  });

  Deno.test(`${name} FileReader follows no link below its root`, () => {
    using dir = tempDir();
    mkdirSync(`${dir.path}/real/sub`, { recursive: true });
    writeFileSync(`${dir.path}/real/sub/file`, "x");
    symlinkSync("real/sub/file", `${dir.path}/link`);
    symlinkSync("real", `${dir.path}/way`);
    symlinkSync(".", `${dir.path}/root`);
    using reader = new FileReader(`${dir.path}/root`, calls);
    assert.equal(codeOf(() => reader.open(NOWHERE, bytes("link"))), "ELOOP");
    assert.match(
      codeOf(() => reader.open(bytes("way/sub"), bytes("file"))),
      /ELOOP|ENOTDIR/,
    );
    assert.match(
      codeOf(() => reader.open(bytes("way"), bytes("sub"))),
      /ELOOP|ENOTDIR/,
    );
    assert.equal(
      codeOf(() => reader.open(bytes("real/sub"), bytes("none"))),
      "ENOENT",
    );
    reader.open(bytes("real/sub"), bytes("file"));
  });

  Deno.test(`${name} FileReader sees that a file changed while it was read`, () => {
    using dir = tempDir();
    const path = `${dir.path}/file`;
    writeFileSync(path, "before");
    utimesSync(path, 1000, 1000);
    const expected = statOf(path, calls);
    using reader = new FileReader(dir.path, calls);
    reader.open(NOWHERE, bytes("file"));
    assert.equal(reader.isUnchanged(expected, 0), true);
    appendFileSync(path, " and after");
    assert.equal(reader.isUnchanged(expected, 0), false);
    assert.equal(reader.stats.size(0), 16);
    const again = statOf(path, calls);
    reader.open(NOWHERE, bytes("file"));
    assert.equal(reader.isUnchanged(again, 0), true);
  });

  Deno.test(`${name} FileReader sees that another file took the name`, () => {
    using dir = tempDir();
    const path = `${dir.path}/file`;
    writeFileSync(path, "one");
    writeFileSync(`${dir.path}/other`, "two");
    const expected = statOf(path, calls);
    renameSync(`${dir.path}/other`, path);
    using reader = new FileReader(dir.path, calls);
    reader.open(NOWHERE, bytes("file"));
    assert.equal(reader.isUnchanged(expected, 0), false);
  });

  Deno.test(`${name} FileReader does not wait for a fifo that took the name`, () => {
    using dir = tempDir();
    writeFileSync(`${dir.path}/file`, "one");
    const expected = statOf(`${dir.path}/file`, calls);
    rmSync(`${dir.path}/file`);
    execFileSync("mkfifo", [`${dir.path}/file`]);
    using reader = new FileReader(dir.path, calls);
    const code = codeOf(() => {
      reader.open(NOWHERE, bytes("file"));
      assert.equal(reader.isUnchanged(expected, 0), false);
    });
    assert.match(code, /none|EINVAL/);
  });
}

Deno.test({
  name: "FileReader reads attributes; large values are objects",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    const path = `${dir.path}/file`;
    writeFileSync(path, "");
    execFileSync("setfattr", ["-n", "user.small", "-v", "little", path]);
    execFileSync("setfattr", [
      "-n",
      "user.a-large",
      "-v",
      "x".repeat(1500),
      path,
    ]);
    execFileSync("setfattr", ["-n", "user.empty", path]);
    using reader = new FileReader(dir.path);
    reader.open(NOWHERE, bytes("file"));
    const extras = reader.extras(statOf(path), 0, putNothing);
    assert.ok(extras);
    const { xattrs, holes } = decodeExtras(extras);
    assert.equal(holes, undefined);
    assert.deepEqual(xattrs.map((xattr) => [text(xattr.name), xattr.size]), [
      ["user.a-large", 1500],
      ["user.empty", 0],
      ["user.small", 6],
    ]);
    assert.deepEqual(xattrs[0].id, putNothing(new Uint8Array(1500)));
    assert.equal(text(xattrs[2].value!), "little");
  },
});

Deno.test({
  name: "FileReader has no extras for a plain file",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    writeFileSync(`${dir.path}/file`, "x".repeat(200_000));
    using reader = new FileReader(dir.path);
    reader.open(NOWHERE, bytes("file"));
    assert.equal(
      reader.extras(statOf(`${dir.path}/file`), 0, putNothing),
      undefined,
    );
  },
});

Deno.test({
  name: "FileReader finds holes, also the one at the end",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    const path = `${dir.path}/file`;
    const fd = openSync(path, "w");
    writeSync(fd, new Uint8Array(4096).fill(1), 0, 4096, 1 << 20);
    ftruncateSync(fd, 3 << 20);
    closeSync(fd);
    using reader = new FileReader(dir.path);
    reader.open(NOWHERE, bytes("file"));
    const found = reader.holes(statOf(path), 0);
    assert.deepEqual([...found], [
      0,
      1 << 20,
      (1 << 20) + 4096,
      (2 << 20) - 4096,
    ]);
    const extras = decodeExtras(reader.extras(statOf(path), 0, putNothing)!);
    assert.deepEqual(decodeHoles(extras.holes!.value!), found);
  },
});

Deno.test({
  name:
    "FileReader leaves the access time alone where it may, and reads where it may not",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    writeFileSync(`${dir.path}/file`, "content");
    const calls = diskCalls();
    let quiet = 0;
    const openAt: typeof calls.openAt = (at, name, flags, mode) => {
      if ((flags & O_NOATIME) === 0) return calls.openAt(at, name, flags, mode);
      quiet++;
      return -EPERM;
    };
    using reader = new FileReader(
      dir.path,
      hooked(calls, { openAt, geteuid: () => 1000 }),
    );
    reader.open(NOWHERE, bytes("file"), 1000);
    assert.equal(quiet, 1);
    assert.equal(reader.read(new Uint8Array(10), 0), 7);
    reader.open(NOWHERE, bytes("file"), 1001);
    assert.equal(quiet, 1);
  },
});

Deno.test({
  name: "FileReader names a file that the user may not read",
  ignore: Deno.uid() !== 0,
  async fn() {
    using dir = tempDir();
    chmodSync(dir.path, 0o755);
    writeFileSync(`${dir.path}/secret`, "content");
    chmodSync(`${dir.path}/secret`, 0);
    const said = await asNobody(
      `import { FileReader } from "@snap/disk/file";
       const encode = (text) => new TextEncoder().encode(text);
       using reader = new FileReader(${JSON.stringify(dir.path)});
       try { reader.open(encode(""), encode("secret"), 0); } catch (error) { console.log(error.message); }`,
    );
    assert.equal(
      said.trim(),
      "Cannot open secret: permission is denied (EACCES)",
    );
  },
});
