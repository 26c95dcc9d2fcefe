import { systemTiming, type Timing } from "./timing.ts";

/** A rate for all that share it: bytes a second. */
export class Pace {
  readonly #bytesPerSecond: number;
  readonly #timing: Timing;
  /** When the bytes that were let go so far have gone by. */
  #freeAt = 0;

  /**
   * Makes a rate.
   *
   * @param bytesPerSecond Most bytes a second, in both directions together.
   * @param timing The clock.
   * @throws {RangeError} If it is not above 0.
   */
  constructor(bytesPerSecond: number, timing: Timing = systemTiming) {
    if (!(bytesPerSecond > 0)) {
      throw new RangeError(
        `Cannot limit bytes a second to ${bytesPerSecond}: a limit is above 0`,
      );
    }
    this.#bytesPerSecond = bytesPerSecond;
    this.#timing = timing;
  }

  /** Waits until the bytes before have gone by, and books these. */
  async wait(bytes: number, signal?: AbortSignal): Promise<void> {
    const waitMs = this.#freeAt - this.#timing.now();
    this.book(bytes);
    if (waitMs > 0) await this.#timing.wait(waitMs, signal);
  }

  /** Books bytes that were not expected: whoever comes next waits for them. */
  book(bytes: number): void {
    this.#freeAt = Math.max(this.#freeAt, this.#timing.now()) +
      bytes / this.#bytesPerSecond * 1000;
  }
}
