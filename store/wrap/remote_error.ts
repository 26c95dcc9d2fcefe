/**
 * Errors of stores that are far away.
 *
 * @module
 */
import { StoreError, type StoreErrorFields } from "../errors.ts";

/** Fields of {@link RemoteError} beside those of {@link StoreError}. */
export interface RemoteErrorFields extends StoreErrorFields {
  /** The status of the answer, where there was one. */
  readonly status?: number | undefined;
  /** The reason, by its name at a server of ours. */
  readonly reason?: string | undefined;
  /** Whether the same request may succeed later. Default: false. */
  readonly isTransient?: boolean;
  /** Whether the other side asks for fewer requests. Default: false. */
  readonly isThrottled?: boolean;
  /** Whether the request may have been carried out all the same. Default: false. */
  readonly mayHaveHappened?: boolean;
  /** How long the other side asks to wait, in milliseconds. Default: 0. */
  readonly retryAfterMs?: number;
  /** A hint for the user. */
  readonly hint?: string | undefined;
}

/** Thrown when a store that is far away fails, or cannot be reached. */
export class RemoteError extends StoreError {
  /** The status of the answer, where there was one. */
  readonly status: number | undefined;
  /** The reason, by its name at a server of ours. */
  readonly reason: string | undefined;
  /** Whether the same request may succeed later. */
  readonly isTransient: boolean;
  /** Whether the other side asks for fewer requests. */
  readonly isThrottled: boolean;
  /** Whether the request may have been carried out all the same. */
  readonly mayHaveHappened: boolean;
  /** How long the other side asks to wait, in milliseconds. */
  readonly retryAfterMs: number;
  /** A hint for the user. */
  readonly hint: string | undefined;

  /** Describes a failure. */
  constructor(message: string, fields: RemoteErrorFields) {
    super(message, fields);
    this.name = "RemoteError";
    this.status = fields.status;
    this.reason = fields.reason;
    this.isTransient = fields.isTransient ?? false;
    this.isThrottled = fields.isThrottled ?? false;
    this.mayHaveHappened = fields.mayHaveHappened ?? false;
    this.retryAfterMs = fields.retryAfterMs ?? 0;
    this.hint = fields.hint;
  }
}

/** Codes of the system that pass: of a network, and of a disk that is one underneath. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  "EAGAIN",
  "EBUSY",
  "EHOSTUNREACH",
  "EIO",
  "EINTR",
  "ENETUNREACH",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
]);

/**
 * Says whether the same call may succeed later.
 *
 * @param error What a store threw.
 * @returns True if it is worth a second try.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof RemoteError) return error.isTransient;
  return error instanceof StoreError && TRANSIENT_CODES.has(error.code);
}

/**
 * Says whether a call that failed may have been carried out all the same.
 *
 * @param error What a store threw.
 * @returns False only where it certainly was not.
 */
export function mayHaveHappened(error: unknown): boolean {
  return error instanceof RemoteError ? error.mayHaveHappened : true;
}
