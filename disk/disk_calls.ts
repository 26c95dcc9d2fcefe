import type { Posix } from "@snap/posix";

/** The calls that this package makes. `nodeCalls` stands in where there is no posix. */
export interface DiskCalls extends
  Pick<
    Posix,
    | "open"
    | "openAt"
    | "openAt2"
    | "close"
    | "read"
    | "pread"
    | "write"
    | "pwrite"
    | "ftruncate"
    | "lseek"
    | "fsync"
    | "statAt"
    | "stat"
    | "directoryEntries"
    | "readlinkAt"
    | "mkdirAt"
    | "mknodAt"
    | "symlinkAt"
    | "linkAt"
    | "unlinkAt"
    | "renameAt"
    | "fchmod"
    | "fchmodAt"
    | "fchown"
    | "fchownAt"
    | "utimensAt"
    | "futimens"
    | "flistxattr"
    | "llistxattr"
    | "fgetxattr"
    | "lgetxattr"
    | "fsetxattr"
    | "lsetxattr"
    | "fremovexattr"
    | "lremovexattr"
    | "fsType"
    | "umask"
    | "geteuid"
  > {
  /** Set where times are in milliseconds, and attributes and names that are not UTF-8 are lost. */
  readonly reduced?: true;
}
