/**
 * What is done every five minutes, as long as a run works.
 *
 * @module
 */
import { nodeModule } from "../node_module.ts";
import { StoreError } from "../errors.ts";

/** Time from one renewal to the next. */
export const LEASE_RENEWAL_MS: number = 5 * 60_000;

/** Waits; rejects when the signal is given. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<unknown>;

/** Options of {@linkcode Renewal}. */
export interface RenewalOptions {
  /** Default: a timer that keeps no process alive. */
  readonly sleep?: Sleep | undefined;
  /** Told of a reason to end the run; nothing is renewed any more. */
  readonly onFailure: (error: unknown) => void;
}

/** Renews a lease regularly, until it is disposed of. */
export class Renewal implements AsyncDisposable {
  readonly #over = new AbortController();
  readonly #renewing: Promise<void>;

  /**
   * Waits for the first time.
   *
   * @param renew Renews the lease, and looks whether the run has to end.
   * @param options How to wait, and who is told.
   */
  constructor(
    renew: (signal: AbortSignal) => Promise<void>,
    options: RenewalOptions,
  ) {
    this.#renewing = this.#run(renew, options);
  }

  /** Renews no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#renewing;
  }

  async #run(
    renew: (signal: AbortSignal) => Promise<void>,
    { sleep = sleepQuietly, onFailure }: RenewalOptions,
  ): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        await sleep(LEASE_RENEWAL_MS, signal);
        await renew(signal);
      } catch (error) {
        if (signal.aborted) return;
        // The next one may be heard; if none is, the end of the run finds out.
        if (error instanceof StoreError) continue;
        onFailure(error);
        return;
      }
    }
  }
}

function sleepQuietly(ms: number, signal: AbortSignal): Promise<unknown> {
  const { setTimeout: sleepFor } = nodeModule("node:timers/promises");
  return sleepFor(ms, undefined, { signal, ref: false });
}
