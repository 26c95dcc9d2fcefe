/** A signal that comes a while after another one: what is nearly done may still end. */
export class DelayedSignal implements Disposable {
  readonly #first: AbortSignal | undefined;
  readonly #late = new AbortController();
  readonly #delayMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Waits for the first signal.
   *
   * @param first The signal that comes before.
   * @param delayMs How long before, in milliseconds.
   */
  constructor(first: AbortSignal | undefined, delayMs: number) {
    this.#first = first;
    this.#delayMs = delayMs;
    if (first?.aborted === true) this.#wait();
    else first?.addEventListener("abort", this.#wait, { once: true });
  }

  /** The later signal; its reason is that of the first. */
  get signal(): AbortSignal {
    return this.#late.signal;
  }

  /** Waits no more. */
  [Symbol.dispose](): void {
    this.#first?.removeEventListener("abort", this.#wait);
    clearTimeout(this.#timer);
  }

  readonly #wait = (): void => {
    this.#timer = setTimeout(
      () => this.#late.abort(this.#first!.reason),
      this.#delayMs,
    );
  };
}
