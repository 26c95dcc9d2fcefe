/** A call on its way, and how many wait for it. */
interface Flight<T> {
  readonly outcome: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
}

/** Calls that many ask for and one makes. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /** Whether a call with this key is on its way. */
  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /**
   * Joins the call with this key, or starts it. It is aborted when nobody waits
   * for it any more, so that one who gives up takes nothing from the others.
   */
  async run(
    key: string,
    signal: AbortSignal | undefined,
    start: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#start(key, start);
    flight.waiting++;
    try {
      return await waitFor(flight.outcome, signal);
    } finally {
      if (--flight.waiting === 0) {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
        flight.stop.abort();
        await flight.outcome.catch(() => {}); // Whoever started work waits for its end.
      }
    }
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const stop = new AbortController();
    const flight = { outcome: start(stop.signal), stop, waiting: 0 };
    const land = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.outcome.then(land, land);
    this.#flights.set(key, flight);
    return flight;
  }
}

async function waitFor<T>(
  outcome: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await outcome;
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
  });
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([outcome, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
