import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { DirectoryEntries } from "../directory_entries.ts";
import {
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  O_DIRECTORY,
} from "../flags.ts";
import {
  DT_DIR,
  DT_LNK,
  DT_REG,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "../mode.ts";
import type { Posix } from "../calls.ts";
import { StatTable } from "../stat_table.ts";
import { type Check, create, fails, utf8, works, z } from "./suite.ts";

const MTIME_UNIT_NS = typeof Deno === "undefined" ? 1n : 10n ** 6n;
const CTIME_UNIT_NS = typeof Deno === "undefined" ? 1n : 10n ** 9n;

function listed(
  posix: Posix,
  fd: number,
  entries: DirectoryEntries,
): Map<string, number> {
  const found = new Map<string, number>();
  while (works(posix.directoryEntries(fd, entries)) > 0) {
    for (let i = 0; i < entries.count; i++) {
      found.set(entries.name(i).join(), entries.types[i]);
    }
  }
  return found;
}

export const nameChecks: Check[] = [
  {
    name: "statAt and stat: what node:fs says, too",
    run(posix, dir, root) {
      const fd = create(posix, dir, "a", "12345");
      posix.linkAt(dir, z("a"), dir, z("b"), 0);
      fs.symlinkSync("a", path.join(root, "link"));
      const table = new StatTable(4);
      assert.equal(posix.stat(fd, table, 0), 0);
      assert.equal(posix.statAt(dir, z("a"), AT_SYMLINK_NOFOLLOW, table, 1), 0);
      assert.equal(
        posix.statAt(dir, z("link"), AT_SYMLINK_NOFOLLOW, table, 2),
        0,
      );
      assert.equal(posix.statAt(dir, z("link"), 0, table, 3), 0);
      const want = fs.statSync(path.join(root, "a"), { bigint: true });
      for (const row of [0, 1, 3]) {
        assert.equal(table.mode(row), Number(want.mode));
        assert.equal(table.mode(row) & S_IFMT, S_IFREG);
        assert.equal(table.size(row), 5);
        assert.equal(table.nlink(row), 2);
        assert.equal(table.uid(row), Number(want.uid));
        assert.equal(table.gid(row), Number(want.gid));
        assert.equal(table.blocks(row), Number(want.blocks));
        const inode = BigInt(table.inodeHigh(row)) << 32n |
          BigInt(table.inodeLow(row));
        assert.equal(inode, want.ino);
        const mtimeNs = BigInt(table.mtimeSec(row)) * 10n ** 9n +
          BigInt(table.mtimeNs(row));
        const ctimeNs = BigInt(table.ctimeSec(row)) * 10n ** 9n +
          BigInt(table.ctimeNs(row));
        // node:fs of Deno knows milliseconds of one and seconds of the other.
        assert.equal(mtimeNs / MTIME_UNIT_NS, want.mtimeNs / MTIME_UNIT_NS);
        assert.equal(ctimeNs / CTIME_UNIT_NS, want.ctimeNs / CTIME_UNIT_NS);
      }
      assert.equal(table.mode(2) & S_IFMT, S_IFLNK);
      assert(table.sameFile(0, table, 3) && !table.sameFile(0, table, 2));
      posix.close(fd);
      fails(posix.stat(fd, table, 0), "EBADF");
      fails(posix.statAt(dir, z("absent"), 0, table, 0), "ENOENT");
      fails(posix.statAt(dir, z("a/b"), 0, table, 0), "ENOTDIR");
      fails(posix.statAt(-1, z("a"), 0, table, 0), "EBADF");
    },
  },
  {
    name: "directoryEntries: 5000 names, an empty directory, small batches",
    run(posix, dir, root) {
      const entries = new DirectoryEntries();
      assert.equal(posix.directoryEntries(dir, entries), 0);
      assert.equal(entries.count, 0);
      const want = new Map<string, number>();
      for (let i = 0; i < 5000; i++) {
        const name = "n".repeat(1 + i % 250) + i;
        want.set(utf8(name).join(), DT_REG);
        fs.closeSync(fs.openSync(path.join(root, name), "w"));
      }
      fs.mkdirSync(path.join(root, "sub"));
      want.set(utf8("sub").join(), DT_DIR);
      for (const size of [65536, 512]) {
        const fd = works(posix.openAt(dir, z("."), O_DIRECTORY, 0));
        assert.deepEqual(listed(posix, fd, new DirectoryEntries(size)), want);
        posix.close(fd);
        fails(posix.directoryEntries(fd, entries), "EBADF");
      }
      const file = create(posix, dir, "file");
      fails(posix.directoryEntries(file, entries), "ENOTDIR");
      posix.close(file);
    },
  },
  {
    name: "names that are not UTF-8",
    run(posix, dir) {
      const name = Uint8Array.of(0xff, 0xfe, 10, 0x80, 0);
      const other = Uint8Array.of(0xc3, 0);
      posix.close(works(posix.openAt(dir, name, fs.constants.O_CREAT, 0x180)));
      assert.equal(posix.symlinkAt(name, dir, other), 0);
      const out = new Uint8Array(64);
      assert.equal(posix.readlinkAt(dir, other, out), 4);
      assert.deepEqual(out.subarray(0, 4), name.subarray(0, 4));
      const want = new Map([["255,254,10,128", DT_REG], ["195", DT_LNK]]);
      assert.deepEqual(listed(posix, dir, new DirectoryEntries()), want);
      assert.equal(posix.renameAt(dir, name, dir, other), 0);
      assert.equal(posix.unlinkAt(dir, other, 0), 0);
    },
  },
  {
    name: "links, directories and their removal",
    run(posix, dir) {
      const out = new Uint8Array(3);
      const table = new StatTable(2);
      assert.equal(posix.mkdirAt(dir, z("sub"), 0x1c0), 0);
      fails(posix.mkdirAt(dir, z("sub"), 0x1c0), "EEXIST");
      posix.statAt(dir, z("sub"), 0, table, 0);
      assert.equal(table.mode(0) & S_IFMT, S_IFDIR);
      assert.equal(posix.symlinkAt(z("sub/../target"), dir, z("link")), 0);
      fails(posix.symlinkAt(z("x"), dir, z("link")), "EEXIST");
      // A target longer than the room is cut without a word.
      assert.equal(posix.readlinkAt(dir, z("link"), out), 3);
      assert.deepEqual(out, utf8("sub"));
      fails(posix.readlinkAt(dir, z("sub"), out), "EINVAL");
      fails(posix.readlinkAt(dir, z("absent"), out), "ENOENT");
      posix.close(create(posix, dir, "target"));
      assert.equal(posix.linkAt(dir, z("target"), dir, z("sub/hard"), 0), 0);
      fails(posix.linkAt(dir, z("target"), dir, z("sub/hard"), 0), "EEXIST");
      fails(posix.linkAt(dir, z("absent"), dir, z("c"), 0), "ENOENT");
      assert.equal(
        posix.linkAt(dir, z("link"), dir, z("file"), AT_SYMLINK_FOLLOW),
        0,
      );
      posix.statAt(dir, z("file"), AT_SYMLINK_NOFOLLOW, table, 0);
      posix.statAt(dir, z("sub/hard"), AT_SYMLINK_NOFOLLOW, table, 1);
      assert(table.sameFile(0, table, 1));
      assert.equal(table.nlink(0), 3);
      fails(posix.unlinkAt(dir, z("sub"), 0), "EISDIR");
      fails(posix.unlinkAt(dir, z("sub"), AT_REMOVEDIR), "ENOTEMPTY");
      fails(posix.unlinkAt(dir, z("file"), AT_REMOVEDIR), "ENOTDIR");
      assert.equal(posix.renameAt(dir, z("sub/hard"), dir, z("moved")), 0);
      fails(posix.renameAt(dir, z("absent"), dir, z("moved")), "ENOENT");
      fails(posix.renameAt(dir, z("sub"), dir, z("moved")), "ENOTDIR");
      assert.equal(posix.exchangeAt(dir, z("sub"), z("moved")), 0);
      assert.equal(posix.exchangeAt(dir, z("sub"), z("moved")), 0);
      fails(posix.exchangeAt(dir, z("absent"), z("moved")), "ENOENT");
      assert.equal(posix.unlinkAt(dir, z("sub"), AT_REMOVEDIR), 0);
      fails(posix.unlinkAt(dir, z("sub"), AT_REMOVEDIR), "ENOENT");
    },
  },
  {
    name: "mknodAt: fifos and devices with large numbers",
    run(posix, dir) {
      const table = new StatTable(1);
      assert.equal(posix.mknodAt(dir, z("fifo"), S_IFIFO | 0x180, 0, 0), 0);
      fails(posix.mknodAt(dir, z("fifo"), S_IFIFO, 0, 0), "EEXIST");
      posix.statAt(dir, z("fifo"), 0, table, 0);
      assert.equal(table.mode(0) & S_IFMT, S_IFIFO);
      for (
        const [type, major, minor] of [[S_IFCHR, 1, 3], [
          S_IFBLK,
          0xabc,
          0xfedcb,
        ]]
      ) {
        const made = posix.mknodAt(
          dir,
          z(`${type}`),
          type | 0x180,
          major,
          minor,
        );
        if (made < 0) {
          fails(made, "EPERM");
          return "devices are for root";
        }
        posix.statAt(dir, z(`${type}`), 0, table, 0);
        assert.equal(table.mode(0) & S_IFMT, type);
        assert.deepEqual([table.rdevMajor(0), table.rdevMinor(0)], [
          major,
          minor,
        ]);
      }
      fails(posix.mknodAt(dir, z("wide"), S_IFCHR, 2 ** 20, 0), "EINVAL");
    },
  },
];
