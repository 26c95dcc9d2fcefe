import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { AT_SYMLINK_NOFOLLOW } from "../flags.ts";
import { S_ISUID } from "../mode.ts";
import { StatTable } from "../stat_table.ts";
import {
  type Check,
  create,
  fails,
  NO_DESCRIPTOR,
  utf8,
  works,
  z,
} from "./suite.ts";

export const metadataChecks: Check[] = [
  {
    name: "fchmod, fchmodAt, umask",
    run(posix, dir, root) {
      const fd = create(posix, dir, "a");
      const mode = () => fs.lstatSync(path.join(root, "a")).mode & 0xfff;
      assert.equal(posix.fchmod(fd, S_ISUID | 0x1ed), 0);
      assert.equal(mode(), S_ISUID | 0x1ed);
      assert.equal(posix.fchmodAt(dir, z("a"), 0x80), 0);
      assert.equal(mode(), 0x80);
      fs.symlinkSync("a", path.join(root, "link"));
      fails(posix.fchmodAt(dir, z("link"), 0x1ff), "ENOTSUP");
      assert.equal(mode(), 0x80);
      posix.close(fd);
      fails(posix.fchmod(NO_DESCRIPTOR, 0), "EBADF");
      fails(posix.fchmodAt(dir, z("absent"), 0), "ENOENT");
      const before = posix.umask(0x3f);
      assert.equal(posix.umask(before), 0x3f);
    },
  },
  {
    name: "fchown, fchownAt, geteuid",
    run(posix, dir, root) {
      const fd = create(posix, dir, "a");
      fs.symlinkSync("a", path.join(root, "link"));
      const table = new StatTable(2);
      posix.stat(fd, table, 0);
      assert.equal(posix.geteuid(), process.geteuid!());
      assert.equal(posix.fchown(fd, -1, -1), 0);
      posix.close(fd);
      fails(posix.fchown(NO_DESCRIPTOR, -1, -1), "EBADF");
      fails(posix.fchownAt(dir, z("absent"), -1, -1, 0), "ENOENT");
      const changed = posix.fchownAt(
        dir,
        z("link"),
        4000000000,
        7,
        AT_SYMLINK_NOFOLLOW,
      );
      if (changed < 0) {
        fails(changed, "EPERM");
        return "owners are for root";
      }
      posix.statAt(dir, z("link"), AT_SYMLINK_NOFOLLOW, table, 1);
      assert.deepEqual([table.uid(1), table.gid(1)], [4000000000, 7]);
      posix.statAt(dir, z("a"), AT_SYMLINK_NOFOLLOW, table, 1);
      assert.equal(table.uid(1), table.uid(0));
      assert.equal(posix.fchownAt(dir, z("link"), 5, -1, 0), 0);
      posix.statAt(dir, z("a"), AT_SYMLINK_NOFOLLOW, table, 1);
      assert.deepEqual([table.uid(1), table.gid(1)], [5, table.gid(0)]);
    },
  },
  {
    name: "futimens and utimensAt: before 1970, after 2038, to the nanosecond",
    run(posix, dir, root) {
      const fd = create(posix, dir, "a");
      fs.symlinkSync("a", path.join(root, "link"));
      fs.utimesSync(path.join(root, "a"), 1000, 2000);
      const table = new StatTable(1);
      for (
        const [sec, ns] of [[-1, 999999999], [-2000000000, 1], [0, 0], [
          9000000000,
          123456789,
        ]]
      ) {
        assert.equal(posix.futimens(fd, sec, ns), 0);
        posix.stat(fd, table, 0);
        assert.deepEqual([table.mtimeSec(0), table.mtimeNs(0)], [sec, ns]);
      }
      assert.equal(fs.statSync(path.join(root, "a")).atimeMs, 1000_000);
      assert.equal(
        posix.utimensAt(dir, z("link"), -86400, 5, AT_SYMLINK_NOFOLLOW),
        0,
      );
      posix.statAt(dir, z("link"), AT_SYMLINK_NOFOLLOW, table, 0);
      assert.deepEqual([table.mtimeSec(0), table.mtimeNs(0)], [-86400, 5]);
      assert.equal(posix.utimensAt(dir, z("link"), 77, 0, 0), 0);
      posix.stat(fd, table, 0);
      assert.equal(table.mtimeSec(0), 77);
      fails(posix.futimens(fd, 0, 1e9), "EINVAL");
      posix.close(fd);
      fails(posix.futimens(NO_DESCRIPTOR, 0, 0), "EBADF");
      fails(posix.utimensAt(dir, z("absent"), 0, 0, 0), "ENOENT");
    },
  },
  {
    name: "extended attributes",
    run(posix, dir, root) {
      const fd = create(posix, dir, "a");
      const value = Uint8Array.of(0, 255, 10);
      const set = posix.fsetxattr(fd, z("user.one"), value);
      if (set < 0) {
        posix.close(fd);
        fails(set, "ENOTSUP");
        return "the file system has no extended attributes";
      }
      const file = z(path.join(root, "a"));
      const out = new Uint8Array(64);
      assert.equal(posix.lsetxattr(file, z("user.two"), new Uint8Array(0)), 0);
      const need = posix.flistxattr(fd, new Uint8Array(0));
      assert.equal(posix.flistxattr(fd, out), need);
      assert.equal(posix.llistxattr(file, new Uint8Array(0)), need);
      const names = Buffer.from(out.subarray(0, posix.llistxattr(file, out)))
        .toString().split("\0");
      assert.deepEqual(
        names.filter((name) => name.startsWith("user.")).sort(),
        [
          "user.one",
          "user.two",
        ],
      );
      fails(posix.flistxattr(fd, new Uint8Array(2)), "ERANGE");
      for (
        const size of [
          posix.fgetxattr(fd, z("user.one"), out),
          posix.lgetxattr(file, z("user.one"), out),
        ]
      ) {
        assert.equal(size, 3);
        assert.deepEqual(out.subarray(0, 3), value);
      }
      assert.equal(posix.fgetxattr(fd, z("user.one"), new Uint8Array(0)), 3);
      assert.equal(posix.lgetxattr(file, z("user.two"), out), 0);
      fails(posix.fgetxattr(fd, z("user.one"), new Uint8Array(2)), "ERANGE");
      fails(posix.fgetxattr(fd, z("user.absent"), out), "ENODATA");
      fails(posix.lgetxattr(file, z("nonsense"), out), "ENOTSUP");
      assert.equal(posix.fremovexattr(fd, z("user.one")), 0);
      assert.equal(posix.lremovexattr(file, z("user.two")), 0);
      fails(posix.fremovexattr(fd, z("user.one")), "ENODATA");
      fails(
        posix.lremovexattr(z(path.join(root, "absent")), z("user.two")),
        "ENOENT",
      );
      fails(posix.llistxattr(z(path.join(root, "absent")), out), "ENOENT");
      fails(
        posix.lsetxattr(z(path.join(root, "absent")), z("user.x"), value),
        "ENOENT",
      );
      posix.close(fd);
      fails(posix.flistxattr(NO_DESCRIPTOR, out), "EBADF");
      fails(posix.fsetxattr(NO_DESCRIPTOR, z("user.one"), value), "EBADF");
    },
  },
  {
    name: "extended attributes of a symlink itself",
    run(posix, _dir, root) {
      fs.symlinkSync("absent", path.join(root, "link"));
      const link = z(path.join(root, "link"));
      const out = new Uint8Array(64);
      works(posix.llistxattr(link, out));
      const set = posix.lsetxattr(link, z("trusted.snap"), utf8("v"));
      if (set < 0) {
        return "trusted attributes are for root, where the file system has them";
      }
      assert.equal(posix.lgetxattr(link, z("trusted.snap"), out), 1);
      assert.equal(out[0], 118);
    },
  },
  {
    name: "fsType",
    run(posix, dir) {
      assert(posix.fsType(dir) > 0);
      const proc = posix.open(z("/proc"), 0, 0);
      if (proc < 0) return "/proc is not mounted";
      assert.equal(posix.fsType(proc), 0x9fa0);
      posix.close(proc);
      fails(posix.fsType(NO_DESCRIPTOR), "EBADF");
    },
  },
  {
    name: "a million failing calls keep their errno while memory is collected",
    run(posix, dir) {
      const table = new StatTable(1);
      const absent = z("absent");
      const out = new Uint8Array(8);
      let junk: unknown[] = [];
      for (let i = 0; i < 250_000; i++) {
        const results = [
          posix.pread(-1, out, 0),
          posix.openAt(dir, absent, 0, 0),
          posix.statAt(dir, absent, 0, table, 0),
          posix.readlinkAt(dir, z("."), out),
        ];
        if (results[0] !== -9) fails(results[0], "EBADF");
        if (results[1] !== -2) fails(results[1], "ENOENT");
        if (results[2] !== -2) fails(results[2], "ENOENT");
        if (results[3] !== -22) fails(results[3], "EINVAL");
        junk.push(results, new Uint8Array(100), { i });
        if (junk.length > 6000) junk = [];
      }
    },
  },
];
