import type { DirectoryEntries } from "./directory_entries.ts";
import type { IoVector } from "./io_vector.ts";
import type { PollSet } from "./poll_set.ts";
import type { StatTable } from "./stat_table.ts";

/**
 * Fifty-five calls of Linux. They never throw: every call returns what the C function does, and
 * −errno where that fails ({@linkcode errnoName}).
 *
 * - Names, paths and targets are bytes whose last one is NUL; the first NUL ends them. Without a
 *   last NUL the answer is −EINVAL.
 * - Views may lie on an `ArrayBuffer`, a `SharedArrayBuffer` or WASM memory.
 * - Descriptors are closed in programs started from here, and must be used and closed through
 *   this interface: to `node:fs` on Deno they are unknown.
 * - At most 2 GiB move in one call, and fewer bytes than asked may.
 */
export interface Posix {
  /** open(2). `mode` counts with `O_CREAT` only. @returns The descriptor. */
  open(path: Uint8Array, flags: number, mode: number): number;
  /** openat(2): `name` is relative to the directory `dir`. @returns The descriptor. */
  openAt(dir: number, name: Uint8Array, flags: number, mode: number): number;
  /**
   * openat2(2): as `openAt`, and `resolve` (`RESOLVE_BENEATH` and so on) holds for every part of
   * the path. −ENOSYS before Linux 5.6. @returns The descriptor.
   */
  openAt2(
    dir: number,
    name: Uint8Array,
    flags: number,
    mode: number,
    resolve: number,
  ): number;
  /** close(2). */
  close(fd: number): number;
  /** read(2) into the whole of `out`. @returns The number of bytes, 0 at the end. */
  read(fd: number, out: Uint8Array): number;
  /** pread(2) into the whole of `out`. @returns The number of bytes, 0 at the end. */
  pread(fd: number, out: Uint8Array, offset: number): number;
  /** write(2). @returns The number of bytes. */
  write(fd: number, bytes: Uint8Array): number;
  /** pwrite(2). @returns The number of bytes. */
  pwrite(fd: number, bytes: Uint8Array, offset: number): number;
  /** writev(2) of the first `count` pieces. @returns The number of bytes. */
  writev(fd: number, vector: IoVector, count: number): number;
  /** Where the bytes of a view lie, for an {@linkcode IoVector}. The caller keeps the view. */
  addressOf(view: Uint8Array): bigint;
  /** fsync(2). */
  fsync(fd: number): number;
  /** fdatasync(2). */
  fdatasync(fd: number): number;
  /** ftruncate(2). */
  ftruncate(fd: number, size: number): number;
  /** lseek(2), also `SEEK_DATA` and `SEEK_HOLE`. @returns The new offset. */
  lseek(fd: number, offset: number, whence: number): number;
  /** fallocate(2). */
  fallocate(fd: number, mode: number, offset: number, size: number): number;
  /** posix_fadvise(3). A size of 0 means to the end. */
  fadvise(fd: number, offset: number, size: number, advice: number): number;
  /** statx(2) of a name into a row. `flags`: 0 or `AT_SYMLINK_NOFOLLOW`. Mounts nothing. */
  statAt(
    dir: number,
    name: Uint8Array,
    flags: number,
    table: StatTable,
    row: number,
  ): number;
  /** statx(2) of a descriptor into a row. */
  stat(fd: number, table: StatTable, row: number): number;
  /**
   * Fills `entries` with the next names of a directory, without `.` and `..`.
   * @returns Their number, 0 at the end.
   */
  directoryEntries(fd: number, entries: DirectoryEntries): number;
  /** readlinkat(2). An empty name reads the symlink `dir` itself is. @returns The size, no NUL. */
  readlinkAt(dir: number, name: Uint8Array, out: Uint8Array): number;
  /** mkdirat(2). */
  mkdirAt(dir: number, name: Uint8Array, mode: number): number;
  /** mknodat(2): a fifo (`S_IFIFO`), a device or a socket. */
  mknodAt(
    dir: number,
    name: Uint8Array,
    mode: number,
    major: number,
    minor: number,
  ): number;
  /** symlinkat(2). */
  symlinkAt(target: Uint8Array, dir: number, name: Uint8Array): number;
  /** linkat(2). `flags`: 0 or `AT_SYMLINK_FOLLOW`. */
  linkAt(
    oldDir: number,
    oldName: Uint8Array,
    newDir: number,
    newName: Uint8Array,
    flags: number,
  ): number;
  /** unlinkat(2). `flags`: 0 or `AT_REMOVEDIR`. */
  unlinkAt(dir: number, name: Uint8Array, flags: number): number;
  /** renameat(2). */
  renameAt(
    oldDir: number,
    oldName: Uint8Array,
    newDir: number,
    newName: Uint8Array,
  ): number;
  /** renameat2(2) of two names of one directory that change places. −EINVAL where the file system cannot. */
  exchangeAt(dir: number, name: Uint8Array, other: Uint8Array): number;
  /** syncfs(2): all that was written to the file system of a descriptor. */
  syncfs(fd: number): number;
  /** fchmod(2): the twelve permission bits. */
  fchmod(fd: number, mode: number): number;
  /** fchmodat(2); follows no symlink: −ENOTSUP for one. */
  fchmodAt(dir: number, name: Uint8Array, mode: number): number;
  /** fchown(2). −1 leaves an id as it is. */
  fchown(fd: number, uid: number, gid: number): number;
  /** fchownat(2). `flags`: 0 or `AT_SYMLINK_NOFOLLOW`. −1 leaves an id as it is. */
  fchownAt(
    dir: number,
    name: Uint8Array,
    uid: number,
    gid: number,
    flags: number,
  ): number;
  /** utimensat(2) of the modification time; the access time stays. `flags` as in `fchownAt`. */
  utimensAt(
    dir: number,
    name: Uint8Array,
    sec: number,
    ns: number,
    flags: number,
  ): number;
  /** futimens(3) of the modification time; the access time stays. */
  futimens(fd: number, sec: number, ns: number): number;
  /** flistxattr(2): names, each with its NUL. An empty `out` asks for the size. @returns The size. */
  flistxattr(fd: number, out: Uint8Array): number;
  /** llistxattr(2), as `flistxattr`, of a symlink itself. */
  llistxattr(path: Uint8Array, out: Uint8Array): number;
  /** fgetxattr(2). An empty `out` asks for the size. @returns The size of the value. */
  fgetxattr(fd: number, name: Uint8Array, out: Uint8Array): number;
  /** lgetxattr(2), as `fgetxattr`, of a symlink itself. */
  lgetxattr(path: Uint8Array, name: Uint8Array, out: Uint8Array): number;
  /** fsetxattr(2). */
  fsetxattr(fd: number, name: Uint8Array, value: Uint8Array): number;
  /** lsetxattr(2). */
  lsetxattr(path: Uint8Array, name: Uint8Array, value: Uint8Array): number;
  /** fremovexattr(2). */
  fremovexattr(fd: number, name: Uint8Array): number;
  /** lremovexattr(2). */
  lremovexattr(path: Uint8Array, name: Uint8Array): number;
  /** fstatfs(2). @returns The type of the file system (0xef53 is ext4) as a u32. */
  fsType(fd: number): number;
  /**
   * statfs(2): as `fsType`, of a path. −ENOTCONN where a file system of a program stands that is
   * gone.
   */
  fsTypeOf(path: Uint8Array): number;
  /** umask(2), of the whole process. @returns The mask before. */
  umask(mask: number): number;
  /** geteuid(2). */
  geteuid(): number;
  /** getegid(2). */
  getegid(): number;
  /** poll(2). A timeout of −1 waits for ever. @returns The number of descriptors with news. */
  poll(set: PollSet, timeoutMs: number): number;
  /** eventfd(2), non-blocking. Reads and writes are of 8 bytes. @returns The descriptor. */
  eventfd(initial: number): number;
  /** inotify_init1(2), non-blocking: `read` gives events, for a {@linkcode WatchEvents}. @returns The descriptor. */
  inotify(): number;
  /** inotify_add_watch(2). `mask`: `IN_MODIFY` and so on. @returns The number of the watch. */
  addWatch(fd: number, path: Uint8Array, mask: number): number;
  /** inotify_rm_watch(2). */
  removeWatch(fd: number, watch: number): number;
  /** fcntl(2) with a number. */
  fcntl(fd: number, command: number, value: number): number;
  /** mount(2). `flags`: `MS_RDONLY` and so on; `data` are options of the file system. */
  mount(
    source: Uint8Array,
    target: Uint8Array,
    type: Uint8Array,
    flags: number,
    data: Uint8Array,
  ): number;
  /** umount2(2). `flags`: 0, or `MNT_DETACH` and so on. */
  umount2(target: Uint8Array, flags: number): number;
  /** socketpair(2) of Unix stream sockets into `out`, which has two places. */
  socketPair(out: Int32Array): number;
  /**
   * recvmsg(2) of a descriptor that another program sends over a Unix socket; never waits:
   * −EAGAIN where nothing has come yet. @returns The descriptor; −ENODATA where the other end has
   * closed, or sent something else.
   */
  receiveFd(socket: number): number;
}
