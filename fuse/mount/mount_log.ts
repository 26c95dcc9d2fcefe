/**
 * Log lines of a mount.
 *
 * @module
 */

/** A log line of a mount. */
export interface MountLog {
  /** `info` for normal events, `error` for reads that failed. */
  readonly level: "info" | "warning" | "error";
  /** The event, without a period. */
  readonly message: string;
  /** The error, or its record if it was thrown in a worker. */
  readonly error?: unknown;
}
