/**
 * Names and words for error numbers.
 *
 * @module
 */

// No import: bundlers follow those, also to where a browser never comes.
const constants = globalThis.process.getBuiltinModule("node:constants");

/** Error numbers of this system by name, such as `ENOENT`. */
export const errnos: Readonly<Record<string, number>> = byName();

/** A list is too long. */
export const E2BIG: number = errnos.E2BIG;
/** Permission denied. */
export const EACCES: number = errnos.EACCES;
/** It would have to wait. */
export const EAGAIN: number = errnos.EAGAIN;
/** Not an open descriptor. */
export const EBADF: number = errnos.EBADF;
/** In use. */
export const EBUSY: number = errnos.EBUSY;
/** It exists. */
export const EEXIST: number = errnos.EEXIST;
/** Interrupted by a signal. */
export const EINTR: number = errnos.EINTR;
/** An argument is wrong. */
export const EINVAL: number = errnos.EINVAL;
/** The device failed. */
export const EIO: number = errnos.EIO;
/** It is a directory. */
export const EISDIR: number = errnos.EISDIR;
/** A symlink where none may be, or too many. */
export const ELOOP: number = errnos.ELOOP;
/** Too many hard links. */
export const EMLINK: number = errnos.EMLINK;
/** A name or path is too long. */
export const ENAMETOOLONG: number = errnos.ENAMETOOLONG;
/** No such extended attribute. */
export const ENODATA: number = errnos.ENODATA;
/** No such device. */
export const ENODEV: number = errnos.ENODEV;
/** No such file or directory. */
export const ENOENT: number = errnos.ENOENT;
/** No space left. */
export const ENOSPC: number = errnos.ENOSPC;
/** The kernel has no such call. */
export const ENOSYS: number = errnos.ENOSYS;
/** Not a directory. */
export const ENOTDIR: number = errnos.ENOTDIR;
/** Not connected: the program behind a file system is gone. */
export const ENOTCONN: number = errnos.ENOTCONN;
/** A directory is not empty. */
export const ENOTEMPTY: number = errnos.ENOTEMPTY;
/** The file system cannot do it. */
export const ENOTSUP: number = errnos.ENOTSUP;
/** No such device or address, or no data after an offset. */
export const ENXIO: number = errnos.ENXIO;
/** Not permitted. */
export const EPERM: number = errnos.EPERM;
/** A result does not fit. */
export const ERANGE: number = errnos.ERANGE;
/** The file system is read-only. */
export const EROFS: number = errnos.EROFS;
/** The file is gone from its server. */
export const ESTALE: number = errnos.ESTALE;
/** Another file system, or outside of the directory. */
export const EXDEV: number = errnos.EXDEV;

/** Clauses, as messages say them behind "as". */
const MESSAGES: Readonly<Record<string, string>> = {
  E2BIG: "the list is too long",
  EACCES: "permission is denied",
  EBADF: "the descriptor is not open",
  EBUSY: "it is in use",
  EDQUOT: "the quota is used up",
  EEXIST: "it exists",
  EFBIG: "it is larger than is allowed here",
  EINTR: "it was interrupted",
  EINVAL: "an argument is invalid",
  EIO: "the device failed",
  EISDIR: "it is a directory",
  ELOOP: "a symlink is in the way",
  EMFILE: "too many files are open",
  EMLINK: "it has as many names as are possible here",
  ENAMETOOLONG: "the name is too long",
  ENFILE: "too many files are open in the system",
  ENODATA: "there is no such extended attribute",
  ENOENT: "there is no such file or directory",
  ENOMEM: "memory is used up",
  ENOSPC: "no space is left",
  ENOSYS: "the kernel has no such call",
  ENOTCONN: "the program behind it is gone",
  ENOTDIR: "it is not a directory",
  ENOTEMPTY: "the directory is not empty",
  ENOTSUP: "it is not supported here",
  EPERM: "it is not permitted",
  EROFS: "the file system is read-only",
  ESTALE: "it is gone from its server",
  EXDEV: "it is on another file system",
};

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(errnos).map(([name, errno]) => [errno, name]),
);

/**
 * The name of an error number.
 *
 * @param errno The number; its sign does not matter, so the result of a call will do.
 * @returns Such as `ENOENT`, or `errno 999` for one without name.
 *
 * @example
 * ```ts
 * import { ENOENT, errnoName } from "@snap/posix/constants";
 * import assert from "node:assert/strict";
 *
 * assert.equal(errnoName(-ENOENT), "ENOENT");
 * ```
 */
export function errnoName(errno: number): string {
  return NAMES.get(Math.abs(errno)) ?? `errno ${Math.abs(errno)}`;
}

/**
 * Words for an error number.
 *
 * @param errno The number; its sign does not matter.
 * @returns A clause such as `there is no such file or directory`; its name where there are no words.
 */
export function errnoMessage(errno: number): string {
  const name = errnoName(errno);
  return MESSAGES[name] ?? name;
}

/** A call that failed. */
export class PosixError extends Error {
  /** Always `PosixError`. */
  override readonly name: string = "PosixError";
  /** The name of the error number, such as `ENOENT`. */
  readonly code: string;
  /** The error number, above 0. */
  readonly errno: number;
  /** The action that failed, such as `open`. */
  readonly action: string;
  /** The path it was done to, without NUL. */
  readonly path: Uint8Array;

  /**
   * Makes the error of a failed call.
   *
   * @param errno The result of the call or the error number; its sign does not matter.
   * @param action What was being done, such as `open`.
   * @param path Bytes of the path; a NUL and what follows it are dropped.
   */
  constructor(errno: number, action: string, path: Uint8Array) {
    const nul = path.indexOf(0);
    const bytes = path.slice(0, nul < 0 ? path.length : nul);
    const code = errnoName(errno);
    super(
      `Cannot ${action} ${readable(bytes)}: ${errnoMessage(errno)} (${code})`,
    );
    this.code = code;
    this.errno = Math.abs(errno);
    this.action = action;
    this.path = bytes;
  }
}

/** A path for a message: control characters and what is not UTF-8 as U+FFFD. */
function readable(path: Uint8Array): string {
  return new TextDecoder().decode(path).replace(/\p{Cc}/gu, "\ufffd");
}

function byName(): Record<string, number> {
  const names: Record<string, number> = {};
  for (const [name, value] of Object.entries(constants)) {
    // Of two names for one number the first holds, but ENOTSUP over EOPNOTSUPP.
    if (/^E[A-Z0-9]+$/.test(name) && typeof value === "number") {
      names[name] = value;
    }
  }
  delete names.EWOULDBLOCK;
  delete names.EOPNOTSUPP;
  return names;
}
