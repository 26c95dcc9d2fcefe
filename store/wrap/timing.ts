/**
 * Time and chance, so that a test can bring its own.
 *
 * @module
 */

/** Clock, waits and random numbers. */
export interface Timing {
  /**
   * The time since some moment, never running backwards.
   *
   * @returns Milliseconds.
   */
  now(): number;
  /**
   * The time of the day, for what a server compares with its own.
   *
   * @returns Milliseconds since 1970, UTC.
   */
  date(): number;
  /**
   * A number of chance.
   *
   * @returns At least 0, below 1.
   */
  random(): number;
  /**
   * Waits.
   *
   * @param ms How long, in milliseconds.
   * @param signal Ends the wait: the promise rejects with its reason.
   */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * Calls a function later, unless it is taken back.
   *
   * @param ms When, in milliseconds from now.
   * @returns Takes it back.
   */
  alarm(ms: number, ring: () => void): () => void;
}

/** The clock and the chance of the system. */
export const systemTiming: Timing = {
  now: () => performance.now(),
  date: () => Date.now(),
  random: () => Math.random(),
  wait: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const stop = () => {
        clearTimeout(timer);
        reject(signal!.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    }),
  alarm: (ms, ring) => {
    const timer = setTimeout(ring, ms);
    return () => clearTimeout(timer);
  },
};
