/**
 * Errors of work between two stores.
 *
 * @module
 */

/**
 * Why an exchange failed.
 *
 * - `FORMAT`: bytes that are no message, or a message that is cut
 * - `VERSION`, `FEATURES`: the other side speaks another version, or needs features not known here
 * - `RIGHT`: the token allows less
 * - `LARGE`: more than one message takes
 * - `SESSION`: the session is over or was never opened
 * - `VOID`: whoever removes packs has overtaken the session
 * - `GONE`: an object, or a record, that was named is not there
 * - `MISMATCH`: bytes that do not have the id by which they were named
 * - `LYING`: what was sent cannot be true: not asked for, not what its root says, without end
 * - `FULL`: the disk or the quota is full
 * - `BUSY`: too much at once: ask again
 * - `STORE`: the store failed
 * - `SAME`: both sides are one store
 */
export type SyncErrorCode =
  | "FORMAT"
  | "VERSION"
  | "FEATURES"
  | "RIGHT"
  | "LARGE"
  | "SESSION"
  | "VOID"
  | "GONE"
  | "MISMATCH"
  | "LYING"
  | "FULL"
  | "BUSY"
  | "STORE"
  | "SAME";

/** All codes. */
export const SYNC_ERROR_CODES: ReadonlySet<string> = new Set<SyncErrorCode>([
  ...(["FORMAT", "VERSION", "FEATURES", "RIGHT", "LARGE"] as const),
  ...(["SESSION", "VOID", "GONE", "MISMATCH", "LYING"] as const),
  ...(["FULL", "BUSY", "STORE", "SAME"] as const),
]);

/** Fields of a {@linkcode SyncError} beside its message. */
export interface SyncErrorFields {
  /** Why. */
  readonly code: SyncErrorCode;
  /** A hint at what to do, in a sentence without a full stop. */
  readonly hint?: string;
  /** Milliseconds after which the request may succeed. */
  readonly waitMs?: number;
  /** Whether the other side said so: it stays the reason, whatever is tried here. */
  readonly isRemote?: boolean;
  /** The error beneath. */
  readonly cause?: unknown;
}

/** Thrown where two sides cannot go on. Nothing that was named in vain is in a store. */
export class SyncError extends Error {
  /** Why. */
  readonly code: SyncErrorCode;
  /** A hint at what to do. */
  readonly hint: string | undefined;
  /** Milliseconds after which the request may succeed. */
  readonly waitMs: number | undefined;
  /** Whether the other side said so. */
  readonly isRemote: boolean;

  /**
   * Describes what went wrong.
   *
   * @param message The message.
   * @param fields Why, and what to do.
   */
  constructor(message: string, fields: SyncErrorFields) {
    super(
      message,
      fields.cause === undefined ? undefined : { cause: fields.cause },
    );
    this.name = "SyncError";
    this.code = fields.code;
    this.hint = fields.hint;
    this.waitMs = fields.waitMs;
    this.isRemote = fields.isRemote ?? false;
  }
}
