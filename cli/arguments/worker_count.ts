import type { Session } from "../session.ts";

/** The most threads that are used unasked. */
const UNASKED_MAX = 8;
/** The most threads that may be asked for. */
const ASKED_MAX = 256;

/**
 * Tells how many threads a command uses: those asked for, else one a core.
 *
 * @returns The number; 0 for no other thread than this.
 * @throws {UsageError} If `--workers` is no number.
 */
export function workerCount(session: Session): number {
  const asked = session.args.number("workers", ASKED_MAX);
  if (asked !== undefined) return asked;
  // One even on one core: this thread has to hear Ctrl-C.
  return Math.min(navigator.hardwareConcurrency, UNASKED_MAX);
}
