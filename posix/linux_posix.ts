import type { Libc } from "./libc.ts";
import { mountCalls } from "./mount_calls.ts";
import { AT_NO_AUTOMOUNT, STATX_BASIC_STATS, StatxBuffer } from "./statx.ts";
import { EINVAL } from "./errors.ts";
import {
  AT_EMPTY_PATH,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_CREAT,
  O_NONBLOCK,
} from "./flags.ts";
import { PERMISSION_MASK } from "./mode.ts";
import type { Posix } from "./calls.ts";

/** openat2(2) has this number on every processor. */
const SYS_OPENAT2 = 437;
/** UTIME_OMIT: in place of nanoseconds, leaves a time as it is. */
const UTIME_OMIT = 0x3ffffffe;
const EMPTY_NAME = new Uint8Array(1);
const TWO_32 = 4294967296;

/** The calls of {@linkcode Posix} over a C library. */
export function linuxPosix(libc: Libc): Posix {
  return {
    ...openCalls(libc),
    ...byteCalls(libc),
    ...statCalls(libc),
    ...nameCalls(libc),
    ...metadataCalls(libc),
    ...xattrCalls(libc),
    ...otherCalls(libc),
    ...mountCalls(libc),
  };
}

/** Whether bytes may be handed over as a string: the library reads up to a NUL. */
function ends(name: Uint8Array): boolean {
  return name[name.length - 1] === 0;
}

function openCalls(
  libc: Libc,
): Pick<Posix, "open" | "openAt" | "openAt2" | "close"> {
  const { openat, close, errno } = libc;
  const how = new Uint32Array(6);
  const howBytes = new Uint8Array(how.buffer);
  return {
    open(path, flags, mode) {
      if (!ends(path)) return -EINVAL;
      const fd = libc.open(path, flags | O_CLOEXEC, mode);
      return fd < 0 ? -errno() : fd;
    },
    openAt(dir, name, flags, mode) {
      if (!ends(name)) return -EINVAL;
      const fd = openat(dir, name, flags | O_CLOEXEC, mode);
      return fd < 0 ? -errno() : fd;
    },
    openAt2(dir, name, flags, mode, resolve) {
      if (!ends(name)) return -EINVAL;
      // struct open_how: flags u64, mode u64, resolve u64. A mode without O_CREAT is refused.
      how[0] = flags | O_CLOEXEC;
      how[2] = (flags & O_CREAT) === 0 ? 0 : mode & PERMISSION_MASK;
      how[4] = resolve;
      const fd = libc.syscall(
        SYS_OPENAT2,
        dir,
        name,
        howBytes,
        howBytes.length,
      );
      return fd < 0 ? -errno() : fd;
    },
    close(fd) {
      return close(fd) < 0 ? -errno() : 0;
    },
  };
}

type ByteCalls =
  | "read"
  | "pread"
  | "write"
  | "pwrite"
  | "writev"
  | "addressOf"
  | "fsync"
  | "fdatasync"
  | "syncfs"
  | "ftruncate"
  | "lseek"
  | "fallocate"
  | "fadvise";

function byteCalls(libc: Libc): Pick<Posix, ByteCalls> {
  const { pread, errno } = libc;
  const check = (result: number) => result < 0 ? -errno() : result;
  return {
    read: (fd, out) => check(libc.read(fd, out, out.length)),
    pread(fd, out, offset) {
      const size = pread(fd, out, out.length, offset);
      return size < 0 ? -errno() : size;
    },
    write: (fd, bytes) => check(libc.write(fd, bytes, bytes.length)),
    pwrite: (fd, bytes, offset) =>
      check(libc.pwrite(fd, bytes, bytes.length, offset)),
    writev(fd, vector, count) {
      if (count > vector.count) return -EINVAL;
      return check(libc.writev(fd, vector.bytes, count));
    },
    addressOf: libc.addressOf,
    fsync: (fd) => check(libc.fsync(fd)),
    fdatasync: (fd) => check(libc.fdatasync(fd)),
    syncfs: (fd) => check(libc.syncfs(fd)),
    ftruncate: (fd, size) => check(libc.ftruncate(fd, size)),
    lseek: (fd, offset, whence) => check(libc.lseek(fd, offset, whence)),
    fallocate: (fd, mode, offset, size) =>
      check(libc.fallocate(fd, mode, offset, size)),
    // This one returns its errno.
    fadvise: (fd, offset, size, advice) =>
      -libc.posix_fadvise(fd, offset, size, advice) | 0,
  };
}

function statCalls(
  libc: Libc,
): Pick<Posix, "statAt" | "stat" | "directoryEntries" | "fsType"> {
  const { statx, getdents64, errno } = libc;
  const scratch = new StatxBuffer();
  const scratchBytes = scratch.bytes;
  const statfs = new Uint32Array(64);
  const statfsBytes = new Uint8Array(statfs.buffer);
  const statAt: Posix["statAt"] = (dir, name, flags, table, row) => {
    if (!ends(name)) return -EINVAL;
    const all = flags | AT_NO_AUTOMOUNT;
    if (statx(dir, name, all, STATX_BASIC_STATS, scratchBytes) < 0) {
      return -errno();
    }
    scratch.copyTo(table, row);
    return 0;
  };
  return {
    statAt,
    stat: (fd, table, row) => statAt(fd, EMPTY_NAME, AT_EMPTY_PATH, table, row),
    directoryEntries(fd, entries) {
      // A batch of nothing but `.` and `..` is not the end.
      while (true) {
        const size = getdents64(fd, entries.bytes, entries.bytes.length);
        const failed = size < 0 ? errno() : 0;
        const count = entries.parse(size < 0 ? 0 : size);
        if (failed !== 0) return -failed;
        if (count > 0 || size === 0) return count;
      }
    },
    fsType(fd) {
      return libc.fstatfs(fd, statfsBytes) < 0 ? -errno() : statfs[0];
    },
  };
}

type NameCalls =
  | "readlinkAt"
  | "mkdirAt"
  | "mknodAt"
  | "symlinkAt"
  | "linkAt"
  | "unlinkAt"
  | "renameAt"
  | "exchangeAt";

function nameCalls(libc: Libc): Pick<Posix, NameCalls> {
  const { errno } = libc;
  const check = (result: number) => result < 0 ? -errno() : result;
  return {
    readlinkAt(dir, name, out) {
      return ends(name)
        ? check(libc.readlinkat(dir, name, out, out.length))
        : -EINVAL;
    },
    mkdirAt(dir, name, mode) {
      return ends(name) ? check(libc.mkdirat(dir, name, mode)) : -EINVAL;
    },
    mknodAt(dir, name, mode, major, minor) {
      if (!ends(name)) return -EINVAL;
      return check(libc.mknodat(dir, name, mode, deviceNumber(major, minor)));
    },
    symlinkAt(target, dir, name) {
      return ends(target) && ends(name)
        ? check(libc.symlinkat(target, dir, name))
        : -EINVAL;
    },
    linkAt(oldDir, oldName, newDir, newName, flags) {
      if (!ends(oldName) || !ends(newName)) return -EINVAL;
      return check(libc.linkat(oldDir, oldName, newDir, newName, flags));
    },
    unlinkAt(dir, name, flags) {
      return ends(name) ? check(libc.unlinkat(dir, name, flags)) : -EINVAL;
    },
    renameAt(oldDir, oldName, newDir, newName) {
      if (!ends(oldName) || !ends(newName)) return -EINVAL;
      return check(libc.renameat(oldDir, oldName, newDir, newName));
    },
    exchangeAt(dir, name, other) {
      if (!ends(name) || !ends(other)) return -EINVAL;
      return check(libc.renameat2(dir, name, dir, other, RENAME_EXCHANGE));
    },
  };
}

/** Flag of renameat2(2). */
const RENAME_EXCHANGE = 2;

/** makedev(3): both numbers, each in two pieces. */
function deviceNumber(major: number, minor: number): bigint {
  const high = BigInt(major), low = BigInt(minor);
  return (high & 0xfffff000n) << 32n | (high & 0xfffn) << 8n |
    (low & 0xffffff00n) << 12n | low & 0xffn;
}

type MetadataCalls =
  | "fchmod"
  | "fchmodAt"
  | "fchown"
  | "fchownAt"
  | "utimensAt"
  | "futimens";

function metadataCalls(libc: Libc): Pick<Posix, MetadataCalls> {
  const { errno } = libc;
  const check = (result: number) => result < 0 ? -errno() : result;
  // Two struct timespec: seconds i64, nanoseconds i64; access time first.
  const times = new Int32Array(8);
  const timesBytes = new Uint8Array(times.buffer);
  times[2] = UTIME_OMIT;
  const setTime = (sec: number, ns: number) => {
    times[4] = sec % TWO_32;
    times[5] = Math.floor(sec / TWO_32);
    times[6] = ns;
  };
  return {
    fchmod: (fd, mode) => check(libc.fchmod(fd, mode)),
    fchmodAt(dir, name, mode) {
      if (!ends(name)) return -EINVAL;
      return check(libc.fchmodat(dir, name, mode, AT_SYMLINK_NOFOLLOW));
    },
    fchown: (fd, uid, gid) => check(libc.fchown(fd, uid >>> 0, gid >>> 0)),
    fchownAt(dir, name, uid, gid, flags) {
      if (!ends(name)) return -EINVAL;
      return check(libc.fchownat(dir, name, uid >>> 0, gid >>> 0, flags));
    },
    utimensAt(dir, name, sec, ns, flags) {
      if (!ends(name)) return -EINVAL;
      setTime(sec, ns);
      return check(libc.utimensat(dir, name, timesBytes, flags));
    },
    futimens(fd, sec, ns) {
      setTime(sec, ns);
      return check(libc.futimens(fd, timesBytes));
    },
  };
}

type XattrCalls =
  | "flistxattr"
  | "llistxattr"
  | "fgetxattr"
  | "lgetxattr"
  | "fsetxattr"
  | "lsetxattr"
  | "fremovexattr"
  | "lremovexattr";

function xattrCalls(libc: Libc): Pick<Posix, XattrCalls> {
  const { flistxattr, errno } = libc;
  const check = (result: number) => result < 0 ? -errno() : result;
  return {
    flistxattr(fd, out) {
      const size = flistxattr(fd, out, out.length);
      return size < 0 ? -errno() : size;
    },
    llistxattr(path, out) {
      return ends(path)
        ? check(libc.llistxattr(path, out, out.length))
        : -EINVAL;
    },
    fgetxattr(fd, name, out) {
      return ends(name)
        ? check(libc.fgetxattr(fd, name, out, out.length))
        : -EINVAL;
    },
    lgetxattr(path, name, out) {
      if (!ends(path) || !ends(name)) return -EINVAL;
      return check(libc.lgetxattr(path, name, out, out.length));
    },
    fsetxattr(fd, name, value) {
      return ends(name)
        ? check(libc.fsetxattr(fd, name, value, value.length, 0))
        : -EINVAL;
    },
    lsetxattr(path, name, value) {
      if (!ends(path) || !ends(name)) return -EINVAL;
      return check(libc.lsetxattr(path, name, value, value.length, 0));
    },
    fremovexattr(fd, name) {
      return ends(name) ? check(libc.fremovexattr(fd, name)) : -EINVAL;
    },
    lremovexattr(path, name) {
      return ends(path) && ends(name)
        ? check(libc.lremovexattr(path, name))
        : -EINVAL;
    },
  };
}

function otherCalls(
  libc: Libc,
): Pick<
  Posix,
  | "umask"
  | "geteuid"
  | "getegid"
  | "poll"
  | "eventfd"
  | "inotify"
  | "addWatch"
  | "removeWatch"
  | "fcntl"
> {
  const { errno } = libc;
  const check = (result: number) => result < 0 ? -errno() : result;
  return {
    umask: (mask) => libc.umask(mask),
    geteuid: () => libc.geteuid() >>> 0,
    getegid: () => libc.getegid() >>> 0,
    poll: (set, timeoutMs) => check(libc.poll(set.bytes, set.count, timeoutMs)),
    // EFD_CLOEXEC and EFD_NONBLOCK are the flags of open.
    eventfd: (initial) => check(libc.eventfd(initial, O_CLOEXEC | O_NONBLOCK)),
    // So are IN_CLOEXEC and IN_NONBLOCK.
    inotify: () => check(libc.inotify_init1(O_CLOEXEC | O_NONBLOCK)),
    addWatch(fd, path, mask) {
      return ends(path)
        ? check(libc.inotify_add_watch(fd, path, mask))
        : -EINVAL;
    },
    removeWatch: (fd, watch) => check(libc.inotify_rm_watch(fd, watch)),
    fcntl: (fd, command, value) => check(libc.fcntl(fd, command, value)),
  };
}
