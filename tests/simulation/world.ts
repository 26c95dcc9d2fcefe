// The clock and the chance of a run, also for what asks the system for them.
import type { Prng } from "../_prng.ts";
import type { Scheduler } from "./scheduler.ts";

/** 2026-11-20, when every run begins, in milliseconds since 1970. */
export const FIRST_MS = 1_795_132_800_000;

/**
 * Runs something where nothing is left to the system: its clock is that of the
 * schedule, its random bytes come from the seed, and no time passes while it works.
 *
 * @param scheduler The clock.
 * @param prng The chance.
 * @param work What runs.
 */
export async function inItsOwnWorld<T>(
  scheduler: Scheduler,
  prng: Prng,
  work: () => Promise<T>,
): Promise<T> {
  const real = {
    date: Date.now,
    performance: performance.now,
    random: Math.random,
  };
  Date.now = () => FIRST_MS + Math.floor(scheduler.now);
  performance.now = () => 0;
  Math.random = () => prng.unit();
  Object.defineProperty(crypto, "getRandomValues", {
    configurable: true,
    value: <Bytes extends Uint8Array>(bytes: Bytes) => prng.fill(bytes),
  });
  const onRejection = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    try {
      scheduler.violate(
        "A promise failed, and nothing waited for it",
        event.reason,
      );
    } catch {
      // The scheduler throws it at the next step.
    }
  };
  addEventListener("unhandledrejection", onRejection);
  try {
    return await work();
  } finally {
    removeEventListener("unhandledrejection", onRejection);
    Date.now = real.date;
    performance.now = real.performance;
    Math.random = real.random;
    Reflect.deleteProperty(crypto, "getRandomValues");
  }
}
