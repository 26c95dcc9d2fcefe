/**
 * What a mount tells while it runs.
 *
 * @module
 */

/** Something that happened to a mount. */
export interface MountLog {
  /** `info` for what is as it should be, `error` for what somebody could not read. */
  readonly level: "info" | "warning" | "error";
  /** What happened, without a period. */
  readonly message: string;
  /** What was thrown, or its record if it was in a worker. */
  readonly error?: unknown;
}
