/**
 * Errors of mounting and unmounting.
 *
 * @module
 */

/** Reasons for which something cannot be mounted or unmounted. */
export type MountErrorCode =
  /** Native calls cannot be had. */
  | "NO_POSIX"
  /** The directory is absent. */
  | "NO_DIRECTORY"
  /** Something is mounted there. */
  | "MOUNTED"
  /** A mount whose program is gone is there. */
  | "STALE"
  /** The mount would hide the store that it is read from, or lie in it. */
  | "HIDES_STORE"
  /** No mount of this program is there. */
  | "NOT_MOUNTED"
  /** The kernel has no FUSE, or its device is not here. */
  | "NO_DEVICE"
  /** The user may not. */
  | "NO_PERMISSION"
  /** Only root can mount without `fusermount3`. */
  | "NO_FUSERMOUNT"
  /** Ordinary users may not let others in. */
  | "NO_ALLOW_OTHER"
  /** A process has a file or a working directory in it. */
  | "BUSY"
  /** The store has no record of the snapshot. */
  | "NO_RECORD"
  /** Anything else. */
  | "FAILED";

/** Thrown when something cannot be mounted or unmounted. */
export class MountError extends Error {
  /** The reason. */
  readonly code: MountErrorCode;
  /** Advice on what to do, a sentence in lower case without a period. */
  readonly hint: string;

  /**
   * Makes an error with advice.
   *
   * @param code The reason.
   * @param options What to do about it, and the error beneath.
   */
  constructor(
    code: MountErrorCode,
    message: string,
    options: { readonly hint: string; readonly cause?: unknown },
  ) {
    const { hint, cause } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.name = "MountError";
    this.code = code;
    this.hint = hint;
  }
}
