/**
 * Type and permission bits of a mode. The numbers are the same on every Linux.
 *
 * @module
 */

// No import: bundlers follow those, also to where a browser never comes.
const constants = globalThis.process.getBuiltinModule("node:constants");

/** Mask of the type bits. */
export const S_IFMT: number = constants.S_IFMT;
/** A regular file. */
export const S_IFREG: number = constants.S_IFREG;
/** A directory. */
export const S_IFDIR: number = constants.S_IFDIR;
/** A symlink. */
export const S_IFLNK: number = constants.S_IFLNK;
/** A fifo. */
export const S_IFIFO: number = constants.S_IFIFO;
/** A character device. */
export const S_IFCHR: number = constants.S_IFCHR;
/** A block device. */
export const S_IFBLK: number = constants.S_IFBLK;
/** A socket. */
export const S_IFSOCK: number = constants.S_IFSOCK;
/** Set user id on execution. */
export const S_ISUID = 0x800;
/** Set group id on execution. */
export const S_ISGID = 0x400;
/** Sticky. */
export const S_ISVTX = 0x200;
/** Mask of the twelve bits that `fchmod` sets. */
export const PERMISSION_MASK = 0xfff;

/** Types in {@linkcode DirectoryEntries}, as the kernel numbers them; 0 is unknown. */
export const DT_UNKNOWN = 0;
/** A directory, in {@linkcode DirectoryEntries}. */
export const DT_DIR = 4;
/** A regular file, in {@linkcode DirectoryEntries}. */
export const DT_REG = 8;
/** A symlink, in {@linkcode DirectoryEntries}. */
export const DT_LNK = 10;
/** A socket, in {@linkcode DirectoryEntries}. */
export const DT_SOCK = 12;
