/** How long a loop may run before others get their turn. */
const TURN_MS = 50;

/**
 * Gives the event loop a turn now and then. Where a store is local every promise
 * is resolved at once, so that without it no signal is heard until the end.
 */
export class Breath {
  #nextMs = performance.now() + TURN_MS;

  /** Whether it is time for {@linkcode Breath.take}. */
  isDue(): boolean {
    return performance.now() >= this.#nextMs;
  }

  /** Lets the event loop run once; throws what aborted `signal`. */
  async take(signal?: AbortSignal): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
    this.#nextMs = performance.now() + TURN_MS;
  }
}
