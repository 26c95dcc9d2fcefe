/**
 * Deadlines: an end for what would wait for ever.
 *
 * @module
 */
import { systemTiming, type Timing } from "./timing.ts";

/** Options of {@link withDeadline}. */
export interface DeadlineOptions {
  /** How long nothing may happen, in milliseconds. */
  readonly ms: number;
  /** Makes the error. */
  readonly makeError: () => Error;
  /** Ends the call, too. */
  readonly signal?: AbortSignal | undefined;
  /** The clock. Default: that of the system. */
  readonly timing?: Timing;
}

/**
 * Runs a call that is aborted when nothing has happened for some time.
 *
 * @example A call that never ends
 * ```ts
 * import { withDeadline } from "@snap/store/wrap";
 * import { rejects } from "node:assert/strict";
 *
 * const forEver = (signal: AbortSignal) =>
 *   new Promise<void>((_, reject) => {
 *     signal.addEventListener("abort", () => reject(signal.reason));
 *   });
 * const makeError = () => new Error("Cannot wait any longer");
 * await rejects(withDeadline({ ms: 5, makeError }, forEver), /any longer/);
 * ```
 *
 * @param options How long, and what is thrown then.
 * @param call Gets a signal, and a function to call when something has happened:
 * the time begins anew, with another length if one is given.
 * @returns What the call returns.
 */
export async function withDeadline<T>(
  options: DeadlineOptions,
  call: (signal: AbortSignal, progress: (ms?: number) => void) => Promise<T>,
): Promise<T> {
  const { makeError, signal, timing = systemTiming } = options;
  const stop = new AbortController();
  const end = () => stop.abort(signal!.reason);
  if (signal?.aborted) end();
  signal?.addEventListener("abort", end, { once: true });
  let ms = options.ms;
  let last = timing.now();
  let takeBack = () => {};
  // One alarm at a time, which looks how long ago something happened: a new one
  // for each piece of a body would cost more than the piece.
  const set = (delay: number) => {
    takeBack = timing.alarm(delay, () => {
      const left = last + ms - timing.now();
      if (left > 0) set(left);
      else stop.abort(makeError());
    });
  };
  const progress = (next = ms) => {
    last = timing.now();
    if (next < ms) {
      takeBack();
      set(next);
    }
    ms = next;
  };
  set(ms);
  try {
    return await call(stop.signal, progress);
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    takeBack();
    signal?.removeEventListener("abort", end);
  }
}
