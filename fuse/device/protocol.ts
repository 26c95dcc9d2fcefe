/**
 * Numbers of the protocol between the Linux kernel and a file system in user
 * space, as `linux/fuse.h` has them from minor version 12 to 45. Offsets are in
 * bytes; all numbers are little endian.
 *
 * @module
 */

/** The major version that is spoken. */
export const MAJOR = 7;
/** The newest minor version that is known. */
export const MINOR = 45;
/** The oldest minor version that is served. */
export const MINOR_MIN = 12;

/** Operation codes of requests. */
export const Opcode = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  GETLK: 31,
  SETLK: 32,
  SETLKW: 33,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  BMAP: 37,
  DESTROY: 38,
  IOCTL: 39,
  POLL: 40,
  NOTIFY_REPLY: 41,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  SETUPMAPPING: 48,
  REMOVEMAPPING: 49,
  SYNCFS: 50,
  TMPFILE: 51,
  STATX: 52,
  COPY_FILE_RANGE_64: 53,
} as const;

/** Bits of `flags` in INIT. */
export const InitFlag = {
  ASYNC_READ: 0x1,
  EXPORT_SUPPORT: 0x10,
  AUTO_INVAL_DATA: 0x1000,
  DO_READDIRPLUS: 0x2000,
  READDIRPLUS_AUTO: 0x4000,
  NO_OPEN_SUPPORT: 0x20000,
  PARALLEL_DIROPS: 0x40000,
  POSIX_ACL: 0x100000,
  ABORT_ERROR: 0x200000,
  MAX_PAGES: 0x400000,
  CACHE_SYMLINKS: 0x800000,
  NO_OPENDIR_SUPPORT: 0x1000000,
  EXPLICIT_INVAL_DATA: 0x2000000,
  INIT_EXT: 0x40000000,
} as const;

/** Bits of `open_flags` in the answer to OPEN and OPENDIR. */
export const OpenFlag = {
  KEEP_CACHE: 0x2,
  CACHE_DIR: 0x8,
} as const;

/** `struct fuse_in_header`: what every request begins with. */
export const RequestHead = {
  length: 0,
  opcode: 4,
  unique: 8,
  node: 16,
  size: 40,
} as const;

/** `struct fuse_out_header`: what every reply begins with. */
export const ReplyHead = { length: 0, error: 4, unique: 8, size: 16 } as const;

/** `struct fuse_init_in`; `flags2` is there from minor 36 on. */
export const InitIn = {
  major: 0,
  minor: 4,
  readaheadMax: 8,
  flags: 12,
  size: 16,
} as const;

/** `struct fuse_init_out`; its first 24 bytes are all of it below minor 23. */
export const InitOut = {
  major: 0,
  minor: 4,
  readaheadMax: 8,
  flags: 12,
  backgroundMax: 16,
  congestionThreshold: 18,
  writeMax: 20,
  timeGranularity: 24,
  pagesMax: 28,
  size: 64,
  sizeBefore23: 24,
} as const;

/** `struct fuse_attr`. */
export const Attr = {
  inode: 0,
  byteCount: 8,
  blocks: 16,
  atime: 24,
  mtime: 32,
  ctime: 40,
  atimeNs: 48,
  mtimeNs: 52,
  ctimeNs: 56,
  mode: 60,
  nlink: 64,
  uid: 68,
  gid: 72,
  rdev: 76,
  blockSize: 80,
  flags: 84,
  size: 88,
} as const;

/** `struct fuse_attr_out`. */
export const AttrOut = { valid: 0, attr: 16, size: 104 } as const;

/** `struct fuse_entry_out`. */
export const EntryOut = {
  node: 0,
  generation: 8,
  entryValid: 16,
  attrValid: 24,
  validNs: 32,
  attr: 40,
  size: 128,
} as const;

/** `struct fuse_dirent`; in READDIRPLUS behind a `struct fuse_entry_out`. */
export const Dirent = {
  inode: 0,
  offset: 8,
  nameSize: 16,
  type: 20,
  name: 24,
} as const;

/** `struct fuse_read_in`: READ, READDIR, READDIRPLUS. */
export const ReadIn = { offset: 8, byteCount: 16, size: 40 } as const;

/** `struct fuse_open_in`: OPEN, OPENDIR. */
export const OpenIn = { flags: 0, size: 8 } as const;

/** `struct fuse_open_out`. */
export const OpenOut = { handle: 0, flags: 8, size: 16 } as const;

/** `struct fuse_kstatfs`. */
export const Statfs = {
  blocks: 0,
  files: 24,
  blockSize: 40,
  nameSizeMax: 44,
  fragmentSize: 48,
  size: 80,
} as const;

/** `struct fuse_getxattr_in`: GETXATTR, LISTXATTR. */
export const GetxattrIn = { byteCount: 0, size: 8 } as const;

/** `struct fuse_getxattr_out`. */
export const GetxattrOut = { byteCount: 0, size: 8 } as const;

/** `struct fuse_lseek_in`. */
export const LseekIn = { offset: 8, whence: 16, size: 24 } as const;

/** `struct fuse_lseek_out`. */
export const LseekOut = { offset: 0, size: 8 } as const;

/** `struct fuse_forget_in`. */
export const ForgetIn = { lookups: 0, size: 8 } as const;

/** `struct fuse_batch_forget_in`, and the `struct fuse_forget_one` behind it. */
export const BatchForgetIn = {
  count: 0,
  size: 8,
  oneNode: 0,
  oneLookups: 8,
  oneSize: 16,
} as const;

/** `whence` of lseek: the next byte that is in no hole. */
export const SEEK_DATA = 3;
/** `whence` of lseek: the next hole. */
export const SEEK_HOLE = 4;

/** Node id of the root of a mount. */
export const ROOT_ID = 1;

/** Seconds for which the kernel may believe what never changes. */
export const FOREVER_SEC = 0x7fffffff;

/** Writes a whole number, up to 2^53 - 1 on either side of 0, as 64 bits. */
export function setNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, value, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}
