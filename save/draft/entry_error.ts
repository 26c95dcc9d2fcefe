import { displayPath } from "@snap/manifest/path";

/** A longer path is shown by its first bytes. */
const SHOWN_SIZE_MAX = 1024;
const SHOWN_SIZE = 60;

/** Thrown where an entry is none that a snapshot can hold, or its content fails. */
export class EntryError extends Error {
  /** Its path; absent where it is about all entries. */
  readonly path: Uint8Array | undefined;
  /** What is wrong with it, as the message says it. */
  readonly reason: string;

  /**
   * Says what is wrong with an entry.
   *
   * @param path Its path; nothing where it is about all entries.
   * @param reason What is wrong with it.
   * @param options What it was caused by.
   */
  constructor(
    path: Uint8Array | undefined,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot save ${subjectOf(path)}: ${reason}`, options);
    this.name = "EntryError";
    this.path = path;
    this.reason = reason;
  }
}

/**
 * Names an entry in a message.
 *
 * @param path Its path; nothing for all entries.
 * @returns The path, its beginning where it is long.
 */
export function subjectOf(path: Uint8Array | undefined): string {
  if (path === undefined) return "entries";
  return path.length <= SHOWN_SIZE_MAX
    ? displayPath(path)
    : `${displayPath(path.subarray(0, SHOWN_SIZE))}…`;
}
