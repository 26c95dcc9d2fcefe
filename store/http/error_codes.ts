/**
 * Why a store far away failed, so that whoever repeats requests can tell what is
 * worth it.
 *
 * @module
 */

/**
 * Codes of a `StoreError` after which the same call may well succeed. All other
 * codes are final: a token, a certificate, a page that is no store, a full disk.
 *
 * - `ECONNREFUSED`, `ECONNRESET`, `ENETUNREACH`, `EAI_AGAIN`: no connection, or it broke.
 * - `ETIMEDOUT`: nothing came for too long.
 * - `TRUNCATED`: the answer ended before its end.
 * - `THROTTLED`: 429. `BUSY`: 408, 425, 502, 503, 504. `EREMOTEIO`: 500. `CONFLICT`: 409.
 */
export const RETRYABLE_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENETUNREACH",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "TRUNCATED",
  "THROTTLED",
  "BUSY",
  "EREMOTEIO",
  "CONFLICT",
]);

/** What a server said, as the cause of a `StoreError`. */
export class RemoteFailure extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** What a server of ours calls the reason. */
  readonly reason: string | undefined;
  /** How long to wait before the next request in milliseconds, if it said so. */
  readonly retryAfterMs: number | undefined;

  /**
   * Describes an answer.
   *
   * @param status The HTTP status.
   * @param reason What a server of ours calls the reason.
   * @param retryAfterMs How long to wait before the next request in milliseconds.
   */
  constructor(
    status: number,
    reason?: string | undefined,
    retryAfterMs?: number | undefined,
  ) {
    super(
      `Server answers ${status}${reason === undefined ? "" : ` ${reason}`}`,
    );
    this.name = "RemoteFailure";
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}
