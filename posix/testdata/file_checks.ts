import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import {
  AT_FDCWD,
  F_GETFL,
  F_SETFL,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_IGNORED,
  IN_ONLYDIR,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  POLLERR,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POSIX_FADV_DONTNEED,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "../flags.ts";
import { IoVector } from "../io_vector.ts";
import { PollSet } from "../poll_set.ts";
import { WatchEvents } from "../watch_events.ts";
import {
  type Check,
  create,
  fails,
  NO_DESCRIPTOR,
  utf8,
  works,
  z,
} from "./suite.ts";

const SIX_GIB = 6 * 2 ** 30;

export const fileChecks: Check[] = [
  {
    name: "open and openAt: flags, modes and errors",
    run(posix, dir, root) {
      const old = posix.umask(0);
      const fd = works(
        posix.openAt(dir, z("a"), O_WRONLY | O_CREAT | O_EXCL, 0x180),
      );
      posix.umask(old);
      assert.equal(fs.statSync(path.join(root, "a")).mode & 0xfff, 0x180);
      assert.equal(posix.close(fd), 0);
      fails(posix.close(NO_DESCRIPTOR), "EBADF");
      fails(
        posix.openAt(dir, z("a"), O_WRONLY | O_CREAT | O_EXCL, 0x180),
        "EEXIST",
      );
      fails(posix.openAt(dir, z("absent"), O_RDONLY, 0), "ENOENT");
      fails(posix.openAt(dir, z("a"), O_RDONLY | O_DIRECTORY, 0), "ENOTDIR");
      fails(posix.openAt(dir, z("a/b"), O_RDONLY, 0), "ENOTDIR");
      fails(posix.openAt(dir, z("."), O_WRONLY, 0), "EISDIR");
      fails(posix.openAt(-1, z("a"), O_RDONLY, 0), "EBADF");
      fails(posix.openAt(dir, z("n".repeat(256)), O_RDONLY, 0), "ENAMETOOLONG");
      fs.symlinkSync("a", path.join(root, "link"));
      fails(posix.openAt(dir, z("link"), O_RDONLY | O_NOFOLLOW, 0), "ELOOP");
      const fds = [
        posix.open(z(path.join(root, "link")), O_RDONLY, 0),
        posix.openAt(AT_FDCWD, z(path.join(root, "a")), O_RDWR | O_TRUNC, 0),
      ];
      for (const fd of fds) assert.equal(posix.close(works(fd)), 0);
    },
  },
  {
    name: "a name without NUL is refused by every call",
    run(posix, dir) {
      const bad = utf8("a");
      const good = z("a");
      const out = new Uint8Array(8);
      const results = [
        posix.open(bad, O_RDONLY, 0),
        posix.openAt(dir, bad, O_RDONLY, 0),
        posix.openAt(dir, new Uint8Array(0), O_RDONLY, 0),
        posix.openAt2(dir, bad, O_RDONLY, 0, 0),
        posix.readlinkAt(dir, bad, out),
        posix.mkdirAt(dir, bad, 0),
        posix.mknodAt(dir, bad, 0, 0, 0),
        posix.symlinkAt(bad, dir, good),
        posix.symlinkAt(good, dir, bad),
        posix.linkAt(dir, bad, dir, good, 0),
        posix.linkAt(dir, good, dir, bad, 0),
        posix.unlinkAt(dir, bad, 0),
        posix.renameAt(dir, bad, dir, good),
        posix.renameAt(dir, good, dir, bad),
        posix.fchmodAt(dir, bad, 0),
        posix.fchownAt(dir, bad, 0, 0, 0),
        posix.utimensAt(dir, bad, 0, 0, 0),
        posix.llistxattr(bad, out),
        posix.fgetxattr(dir, bad, out),
        posix.lgetxattr(bad, good, out),
        posix.lgetxattr(good, bad, out),
        posix.fsetxattr(dir, bad, out),
        posix.lsetxattr(bad, good, out),
        posix.lsetxattr(good, bad, out),
        posix.fremovexattr(dir, bad),
        posix.lremovexattr(bad, good),
        posix.lremovexattr(good, bad),
      ];
      for (const result of results) fails(result, "EINVAL");
    },
  },
  {
    name: "openAt2: follows no symlink, never leaves the directory",
    run(posix, dir, root) {
      fs.mkdirSync(path.join(root, "sub/deep"), { recursive: true });
      fs.symlinkSync("deep", path.join(root, "sub/link"));
      fs.symlinkSync("/etc", path.join(root, "out"));
      const sub = works(posix.openAt(dir, z("sub"), O_RDONLY | O_DIRECTORY, 0));
      const resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
        RESOLVE_NO_MAGICLINKS;
      const first = posix.openAt2(
        sub,
        z("deep"),
        O_RDONLY | O_DIRECTORY,
        0,
        resolve,
      );
      posix.close(sub);
      if (first < 0) {
        fails(first, "ENOSYS");
        return "the kernel has no openat2";
      }
      posix.close(first);
      const opened = works(
        posix.openAt2(dir, z("sub/new"), O_RDWR | O_CREAT, 0xffff, resolve),
      );
      posix.close(opened);
      fails(posix.openAt2(dir, z("sub/link"), O_RDONLY, 0, resolve), "ELOOP");
      fails(
        posix.openAt2(dir, z("out/passwd"), O_RDONLY, 0, RESOLVE_BENEATH),
        "EXDEV",
      );
      fails(posix.openAt2(dir, z("sub/../.."), O_RDONLY, 0, resolve), "EXDEV");
      fails(posix.openAt2(dir, z("/etc"), O_RDONLY, 0, resolve), "EXDEV");
      fails(posix.openAt2(dir, z("absent"), O_RDONLY, 0, resolve), "ENOENT");
    },
  },
  {
    name: "read, pread, write, pwrite: views, counts and errors",
    run(posix, dir) {
      const fd = create(posix, dir, "a", "hello world");
      const out = new Uint8Array(16);
      assert.equal(posix.pread(fd, out.subarray(4, 9), 6), 5);
      assert.deepEqual(out.subarray(3, 10), utf8("\0world\0"));
      assert.equal(posix.read(fd, out), 0);
      assert.equal(posix.lseek(fd, 6, SEEK_SET), 6);
      assert.equal(posix.read(fd, out), 5);
      assert.equal(posix.pwrite(fd, utf8("HE"), 0), 2);
      assert.equal(posix.pread(fd, out, 0), 11);
      assert.deepEqual(out.subarray(0, 11), utf8("HEllo world"));
      assert.equal(posix.pread(fd, new Uint8Array(0), 0), 0);
      assert.equal(posix.write(fd, new Uint8Array(0)), 0);
      posix.close(fd);
      fails(posix.read(NO_DESCRIPTOR, out), "EBADF");
      fails(posix.pread(NO_DESCRIPTOR, out, 0), "EBADF");
      fails(posix.write(NO_DESCRIPTOR, out), "EBADF");
      fails(posix.pwrite(NO_DESCRIPTOR, out, 0), "EBADF");
      fails(posix.read(dir, out), "EISDIR");
    },
  },
  {
    name: "views on shared, growable and WASM memory, and tiny ones",
    run(posix, dir) {
      const fd = create(posix, dir, "a", "0123456789");
      const memory = (shared: boolean) =>
        new WebAssembly.Memory({ initial: 1, maximum: 2, shared });
      const views = [
        new Uint8Array(4),
        new Uint8Array(new SharedArrayBuffer(64), 8, 4),
        new Uint8Array(
          new ArrayBuffer(64, { maxByteLength: 128 } as never),
          8,
          4,
        ),
        new Uint8Array(memory(false).buffer, 100, 4),
        new Uint8Array(memory(true).buffer, 100, 4),
      ];
      for (let round = 0; round < 20000; round++) {
        for (const view of views) {
          view.fill(0);
          assert.equal(posix.pread(fd, view, 3), 4);
          if (view[0] !== 51 || view[3] !== 54) {
            assert.deepEqual(view, utf8("3456"));
          }
        }
      }
      for (const view of views) assert.equal(posix.pwrite(fd, view, 0), 4);
      posix.close(fd);
    },
  },
  {
    name: "offsets beyond 4 GiB in a sparse file; data and holes",
    run(posix, dir) {
      const fd = create(posix, dir, "sparse");
      assert.equal(posix.pwrite(fd, utf8("far"), SIX_GIB), 3);
      const out = new Uint8Array(8);
      assert.equal(posix.pread(fd, out, SIX_GIB), 3);
      assert.deepEqual(out.subarray(0, 3), utf8("far"));
      // What a cut to 32 bits would read.
      assert.equal(posix.pread(fd, out, SIX_GIB - 2 ** 32), 8);
      assert.deepEqual(out, new Uint8Array(8));
      assert.equal(posix.lseek(fd, 0, SEEK_END), SIX_GIB + 3);
      assert.equal(posix.lseek(fd, 0, SEEK_HOLE), 0);
      assert.equal(posix.lseek(fd, 0, SEEK_DATA), SIX_GIB);
      fails(posix.lseek(fd, SIX_GIB + 3, SEEK_DATA), "ENXIO");
      fails(posix.lseek(fd, -1, SEEK_SET), "EINVAL");
      assert.equal(posix.ftruncate(fd, SIX_GIB + 1), 0);
      assert.equal(posix.lseek(fd, 0, SEEK_END), SIX_GIB + 1);
      const punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
      assert.equal(posix.fallocate(fd, punch, SIX_GIB - 4096, 8192), 0);
      fails(posix.lseek(fd, 0, SEEK_DATA), "ENXIO");
      fails(posix.fallocate(fd, 0, -1, 1), "EINVAL");
      fails(posix.ftruncate(fd, -1), "EINVAL");
      posix.close(fd);
      fails(posix.ftruncate(NO_DESCRIPTOR, 0), "EBADF");
      fails(posix.fallocate(NO_DESCRIPTOR, 0, 0, 1), "EBADF");
    },
  },
  {
    name: "fsync, fdatasync, fadvise, fcntl",
    run(posix, dir) {
      const fd = create(posix, dir, "a", "x");
      for (
        const synced of [
          posix.fsync(fd),
          posix.fdatasync(fd),
          posix.fsync(dir),
          posix.syncfs(dir),
        ]
      ) works(synced);
      assert.equal(posix.fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
      fails(posix.fadvise(fd, 0, 0, 99), "EINVAL");
      const flags = works(posix.fcntl(fd, F_GETFL, 0));
      assert.equal(flags & O_RDWR, O_RDWR);
      works(posix.fcntl(fd, F_SETFL, flags | O_NONBLOCK));
      assert.equal(posix.fcntl(fd, F_GETFL, 0), flags | O_NONBLOCK);
      posix.close(fd);
      fails(posix.fsync(NO_DESCRIPTOR), "EBADF");
      fails(posix.fdatasync(NO_DESCRIPTOR), "EBADF");
      fails(posix.syncfs(NO_DESCRIPTOR), "EBADF");
      fails(posix.fadvise(NO_DESCRIPTOR, 0, 0, 0), "EBADF");
      fails(posix.fcntl(NO_DESCRIPTOR, F_GETFL, 0), "EBADF");
    },
  },
  {
    name: "writev of pieces by address",
    run(posix, dir) {
      const fd = create(posix, dir, "a");
      const head = utf8("head ");
      const body = new Uint8Array(new SharedArrayBuffer(32), 4, 8);
      body.set(utf8("__body__"));
      const vector = new IoVector(2);
      vector.set(0, posix.addressOf(head), head.length);
      vector.set(1, posix.addressOf(body) + 2n, 4);
      assert.equal(posix.writev(fd, vector, 2), 9);
      assert.equal(posix.writev(fd, vector, 1), 5);
      const out = new Uint8Array(16);
      assert.equal(posix.pread(fd, out, 0), 14);
      assert.deepEqual(out.subarray(0, 14), utf8("head bodyhead "));
      fails(posix.writev(fd, vector, 3), "EINVAL");
      posix.close(fd);
      fails(posix.writev(NO_DESCRIPTOR, vector, 1), "EBADF");
    },
  },
  {
    name: "eventfd and poll",
    run(posix) {
      const fd = works(posix.eventfd(0));
      const set = new PollSet(2);
      const word = new Uint8Array(8);
      fails(posix.read(fd, word), "EAGAIN");
      set.watch(0, fd, POLLIN);
      assert.equal(posix.poll(set, 0), 0);
      assert.equal(set.happened(0), 0);
      word[0] = 5;
      assert.equal(posix.write(fd, word), 8);
      assert.equal(posix.poll(set, 1000), 1);
      assert.equal(set.happened(0) & (POLLIN | POLLERR), POLLIN);
      word[0] = 0;
      assert.equal(posix.read(fd, word), 8);
      assert.equal(word[0], 5);
      set.watch(1, fd, POLLOUT);
      assert.equal(posix.poll(set, -1), 1);
      assert.equal(set.happened(1), POLLOUT);
      posix.close(fd);
      assert.equal(posix.poll(set, 0), 2);
      assert.equal(set.happened(0), POLLNVAL);
    },
  },
  {
    name: "inotify: what happens in a directory is told",
    run(posix, _dir, root) {
      const fd = works(posix.inotify());
      const events = new WatchEvents();
      const mask = IN_CREATE | IN_CLOSE_WRITE | IN_DELETE | IN_ONLYDIR;
      const watch = works(posix.addWatch(fd, z(root), mask));
      assert.equal(posix.addWatch(fd, z(root), mask), watch);
      fails(posix.read(fd, events.bytes), "EAGAIN");
      fs.writeFileSync(path.join(root, "a"), "a");
      fs.mkdirSync(path.join(root, "directory"));
      events.begin(works(posix.read(fd, events.bytes)));
      const told: string[] = [];
      while (events.next()) {
        assert.equal(events.watch, watch);
        told.push(`${events.mask.toString(16)} ${events.name()}`);
      }
      const name = (text: string) => utf8(text).toString();
      assert.deepEqual(told, [
        `100 ${name("a")}`,
        `8 ${name("a")}`,
        `40000100 ${name("directory")}`,
      ]);
      fails(posix.addWatch(fd, z(path.join(root, "a")), mask), "ENOTDIR");
      fails(posix.addWatch(fd, utf8(root), mask), "EINVAL");
      works(posix.removeWatch(fd, watch));
      events.begin(works(posix.read(fd, events.bytes)));
      assert.equal(events.next(), true);
      assert.deepEqual([events.mask, events.name().length], [IN_IGNORED, 0]);
      assert.equal(events.next(), false);
      fails(posix.removeWatch(fd, watch), "EINVAL");
      events.begin(posix.read(fd, events.bytes));
      assert.equal(events.next(), false);
      posix.close(fd);
    },
  },
];
