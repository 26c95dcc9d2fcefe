/** Tasks that are under way at once where a store is far away, and the memory that they may need. */
const COUNT_MAX = 64;
const SIZE_MAX = 64 << 20;

/** Runs tasks one after the other, or many at once where most of their time is spent waiting for a store far away. */
export class SideBySide {
  readonly #isFar: boolean;
  readonly #running = new Set<Promise<void>>();
  #size = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(isFar: boolean) {
    this.#isFar = isFar;
  }

  /**
   * Begins a task; waits for its end, or only until there is room for it.
   *
   * @param size Memory that it may need, in bytes.
   * @throws {Error} If one of the tasks has failed.
   */
  async add(size: number, run: () => Promise<void>): Promise<void> {
    if (!this.#isFar) return await run();
    const running = this.#running;
    while (
      running.size >= COUNT_MAX ||
      running.size > 0 && this.#size + size > SIZE_MAX
    ) await Promise.race(running);
    this.#throwFailure();
    this.#size += size;
    const task: Promise<void> = run()
      .catch((error) => void (this.#failure ??= { error }))
      .finally(() => {
        running.delete(task);
        this.#size -= size;
      });
    running.add(task);
  }

  /**
   * Waits for the end of all tasks.
   *
   * @throws {Error} If one of them has failed.
   */
  async finish(): Promise<void> {
    await this.settled();
    this.#throwFailure();
  }

  /** Waits for the end of all tasks, also of those that fail. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
