/**
 * Flags of the calls in {@linkcode Posix}.
 *
 * Flags that Node names come from Node, as the numbers differ between processors: `O_NOFOLLOW` of
 * x86-64 is `O_LARGEFILE` on arm64. The others are the same on both and written in hexadecimal.
 *
 * @module
 */

// `node:constants` is `node:fs` constants and `node:os` errno without their modules: 5 ms of
// start-up on Deno, where `node:fs` takes 15.
// No import: bundlers follow those, also to where a browser never comes.
const constants = globalThis.process.getBuiltinModule("node:constants");

/** Open for reading. */
export const O_RDONLY: number = constants.O_RDONLY;
/** Open for writing. */
export const O_WRONLY: number = constants.O_WRONLY;
/** Open for reading and writing. */
export const O_RDWR: number = constants.O_RDWR;
/** Create the file if absent. */
export const O_CREAT: number = constants.O_CREAT;
/** With `O_CREAT`: fail with EEXIST if present. */
export const O_EXCL: number = constants.O_EXCL;
/** Cut the file to nothing. */
export const O_TRUNC: number = constants.O_TRUNC;
/** Every write goes to the end. */
export const O_APPEND: number = constants.O_APPEND;
/** Fail with ENOTDIR unless a directory. */
export const O_DIRECTORY: number = constants.O_DIRECTORY;
/** Fail with ELOOP if the last name is a symlink. */
export const O_NOFOLLOW: number = constants.O_NOFOLLOW;
/** Do not wait: a fifo or a device opens at once. */
export const O_NONBLOCK: number = constants.O_NONBLOCK;
/** Do not touch the access time: for the owner and root only, others get EPERM. */
export const O_NOATIME: number =
  (constants as unknown as Record<string, number>).O_NOATIME;
/** Closed in programs that this one starts. Every descriptor opened here has it. */
export const O_CLOEXEC = 0x80000;
/** A descriptor that only names: no read, no write. */
export const O_PATH = 0x200000;

/** In place of a directory's descriptor: names are relative to the working directory. */
export const AT_FDCWD: number = -100;
/** The call works on a symlink itself. */
export const AT_SYMLINK_NOFOLLOW = 0x100;
/** `unlinkAt` removes a directory. */
export const AT_REMOVEDIR = 0x200;
/** `linkAt` follows a symlink. */
export const AT_SYMLINK_FOLLOW = 0x400;
/** An empty name means the descriptor itself. */
export const AT_EMPTY_PATH = 0x1000;

/** `openAt2`: never crosses a mount point. */
export const RESOLVE_NO_XDEV = 0x01;
/** `openAt2`: never follows a link of `/proc`. */
export const RESOLVE_NO_MAGICLINKS = 0x02;
/** `openAt2`: never follows a symlink, in no part of the path: ELOOP. */
export const RESOLVE_NO_SYMLINKS = 0x04;
/** `openAt2`: never leaves the directory: EXDEV. */
export const RESOLVE_BENEATH = 0x08;

/** `lseek` from the start. */
export const SEEK_SET = 0;
/** `lseek` from the end. */
export const SEEK_END = 2;
/** `lseek` to the next byte that is stored, ENXIO if none. */
export const SEEK_DATA = 3;
/** `lseek` to the next hole; the end of the file is one. */
export const SEEK_HOLE = 4;

/** `fallocate`: the size of the file stays. */
export const FALLOC_FL_KEEP_SIZE = 0x01;
/** `fallocate`: makes a hole; only with `FALLOC_FL_KEEP_SIZE`. */
export const FALLOC_FL_PUNCH_HOLE = 0x02;

/** `fadvise`: will not be read again. */
export const POSIX_FADV_DONTNEED = 4;

/** `poll`: can be read. */
export const POLLIN = 0x01;
/** `poll`: something out of the ordinary, such as that the table of mounts has changed. */
export const POLLPRI = 0x02;
/** `poll`: can be written. */
export const POLLOUT = 0x04;
/** `poll`: an error. Answered only. */
export const POLLERR = 0x08;
/** `poll`: the other end is gone. Answered only. */
export const POLLHUP = 0x10;
/** `poll`: not an open descriptor. Answered only. */
export const POLLNVAL = 0x20;

/** `fcntl`: the flags of the open file. */
export const F_GETFL = 3;
/** `fcntl`: sets the flags of the open file. */
export const F_SETFL = 4;

/** `addWatch`: bytes of a file have changed. */
export const IN_MODIFY = 0x02;
/** `addWatch`: mode, owner, times, attributes or the number of links. */
export const IN_ATTRIB = 0x04;
/** `addWatch`: a file that was open for writing, or mapped so, is so no more. */
export const IN_CLOSE_WRITE = 0x08;
/** `addWatch`: a name has gone to another place. */
export const IN_MOVED_FROM = 0x40;
/** `addWatch`: a name has come from another place. */
export const IN_MOVED_TO = 0x80;
/** `addWatch`: a name is new. */
export const IN_CREATE = 0x0100;
/** `addWatch`: a name is gone. */
export const IN_DELETE = 0x0200;
/** `addWatch`: what is watched was removed. */
export const IN_DELETE_SELF = 0x0400;
/** `addWatch`: what is watched has another path. */
export const IN_MOVE_SELF = 0x0800;
/** Events: the file system was unmounted. */
export const IN_UNMOUNT = 0x2000;
/** Events: more has happened than the queue has room for. */
export const IN_Q_OVERFLOW = 0x4000;
/** Events: the watch is gone. */
export const IN_IGNORED = 0x8000;
/** `addWatch`: fails with ENOTDIR unless a directory. */
export const IN_ONLYDIR = 0x01000000;
/** `addWatch`: nothing of files that have no name any more. */
export const IN_EXCL_UNLINK = 0x04000000;
/** Events: the name is that of a directory. */
export const IN_ISDIR = 0x40000000;

/** `mount`: nothing can be written. */
export const MS_RDONLY = 0x01;
/** `mount`: bits that give a program its owner's rights do not count. */
export const MS_NOSUID = 0x02;
/** `mount`: devices are seen and cannot be opened. */
export const MS_NODEV = 0x04;

/** `umount2`: out of sight at once, gone when nothing in it is in use. */
export const MNT_DETACH = 0x02;
