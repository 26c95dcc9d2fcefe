/**
 * Doing again what failed for a reason that passes.
 *
 * @module
 */
import { isTransient, RemoteError } from "./remote_error.ts";
import { systemTiming, type Timing } from "./timing.ts";

/** Most tries of one request. */
export const TRIES_MAX = 8;
/** Longest pause before the second try in milliseconds; each further one may be twice as long. */
export const PAUSE_FIRST_MS = 250;
/** Longest pause that is made without being asked for, in milliseconds. */
export const PAUSE_MS_MAX = 20_000;
/** Longest pause that the other side may ask for, in milliseconds. */
export const RETRY_AFTER_MS_MAX = 300_000;

/** Number of tries, and pauses between them. */
export interface RetryOptions {
  /** Most tries, the first among them. Default: {@link TRIES_MAX}. */
  readonly triesMax?: number;
  /** Longest pause before the second try in milliseconds. Default: {@link PAUSE_FIRST_MS}. */
  readonly pauseFirstMs?: number;
  /** Longest pause in milliseconds. Default: {@link PAUSE_MS_MAX}. */
  readonly pauseMsMax?: number;
  /** Says what is worth another try. Default: {@link isTransient}. */
  readonly isTransient?: (error: unknown) => boolean;
  /** Hears of each failure that is followed by another try. */
  readonly onRetry?: (error: unknown, pauseMs: number) => void;
  /** The clock and the chance. Default: those of the system. */
  readonly timing?: Timing;
}

/**
 * Calls a function until it succeeds, fails for good, or has failed too often.
 * Between two tries lies a pause of chance (full jitter), so that many who
 * failed together do not come back together. Where the other side asked for a
 * pause, it is at least as long.
 *
 * @example A store that fails once
 * ```ts
 * import { MemoryStore } from "@snap/store/memory";
 * import { FaultStore } from "@snap/store/testing";
 * import { retry } from "@snap/store/wrap";
 * import { strictEqual } from "node:assert/strict";
 *
 * const plan = { at: [{ call: 1, fault: "error" }] } as const;
 * const store = new FaultStore(new MemoryStore(), plan);
 * const size = await retry(() => store.size("config/1"), { pauseFirstMs: 1 });
 * strictEqual(size, undefined);
 * strictEqual(store.calls, 2);
 * ```
 *
 * @param call The function, which gets the number of the try, from 1.
 * @param options How often, and after which pauses.
 * @param signal Ends a pause. The call has to hear it by itself.
 * @returns What the function returns.
 */
export async function retry<T>(
  call: (tryNumber: number) => Promise<T>,
  options: RetryOptions = {},
  signal?: AbortSignal,
): Promise<T> {
  const { timing = systemTiming } = options;
  for (let tryNumber = 1;; tryNumber++) {
    signal?.throwIfAborted();
    try {
      return await call(tryNumber);
    } catch (error) {
      signal?.throwIfAborted();
      const isWorthIt = (options.isTransient ?? isTransient)(error);
      // Read again each time: whoever has answered is believed to come back.
      const { triesMax = TRIES_MAX } = options;
      if (!isWorthIt || tryNumber >= triesMax) throw error;
      const pauseMs = pauseAfter(error, tryNumber, options, timing);
      if (pauseMs === undefined) throw error;
      options.onRetry?.(error, pauseMs);
      await timing.wait(pauseMs, signal);
    }
  }
}

/** The next pause in milliseconds, or undefined if the other side asks for too much. */
function pauseAfter(
  error: unknown,
  tryNumber: number,
  options: RetryOptions,
  timing: Timing,
): number | undefined {
  const { pauseFirstMs = PAUSE_FIRST_MS, pauseMsMax = PAUSE_MS_MAX } = options;
  const floor = error instanceof RemoteError ? error.retryAfterMs : 0;
  if (floor > RETRY_AFTER_MS_MAX) return undefined;
  const most = Math.min(pauseMsMax, pauseFirstMs * 2 ** (tryNumber - 1));
  const jitter = timing.random() * most;
  // Above the floor, too, they must not come back together.
  return floor === 0 ? jitter : floor + Math.min(jitter, floor);
}
