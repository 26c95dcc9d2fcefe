/** Words before the ring: the stop word, requests at main, interrupts told of, two of sessions. */
const STOP = 0, FORWARDED = 1, INTERRUPTS = 2, AGREED = 4, HEAD_WORDS = 6;
/** Interrupts that are kept for workers that did not look yet. */
const RING_SIZE = 1024;
/** An interrupt: its number, from 1 on, when it is written; the halves of the request's number. */
const ENTRY_WORDS = 3;

/**
 * Words that all threads of a mount share: the one that ends all, and the interrupts. The kernel
 * gives an interrupt to whichever worker reads it, while the request may wait at another one.
 */
export class MountControl {
  /** The shared memory. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  #seen = 0;

  /** Makes the memory of a mount. */
  static create(): MountControl {
    const words = HEAD_WORDS + RING_SIZE * ENTRY_WORDS;
    return new MountControl(new SharedArrayBuffer(words * 4));
  }

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** Two words of the sessions: what INIT agreed on. */
  get agreed(): Int32Array {
    return this.#words.subarray(AGREED, AGREED + 2);
  }

  /** Whether all are to end. */
  get isStopped(): boolean {
    return Atomics.load(this.#words, STOP) !== 0;
  }

  /** Tells all to end. Those that sleep must be woken. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
  }

  /** Number of requests that are at the main thread. */
  get forwardedCount(): number {
    return Atomics.load(this.#words, FORWARDED);
  }

  /** Counts a request that goes to the main thread, or with -1 one that it has answered. */
  countForwarded(change: 1 | -1): void {
    Atomics.add(this.#words, FORWARDED, change);
  }

  /** Tells the other workers of an interrupt of a request. They must be woken. */
  tellInterrupt(uniqueLow: number, uniqueHigh: number): void {
    const number = Atomics.add(this.#words, INTERRUPTS, 1);
    const at = entryAt(number);
    Atomics.store(this.#words, at + 1, uniqueLow);
    Atomics.store(this.#words, at + 2, uniqueHigh);
    Atomics.store(this.#words, at, number + 1 | 0);
  }

  /** Whether `nextInterrupt` may have something. */
  get hasInterrupts(): boolean {
    return Atomics.load(this.#words, INTERRUPTS) !== this.#seen;
  }

  /**
   * Takes the next interrupt that this view has not seen.
   *
   * @returns Whether there was one; one that is being written wakes its reader later.
   */
  nextInterrupt(
    take: (uniqueLow: number, uniqueHigh: number) => void,
  ): boolean {
    const told = Atomics.load(this.#words, INTERRUPTS);
    if (told - this.#seen > RING_SIZE) this.#seen = told - RING_SIZE;
    if (told === this.#seen) return false;
    const at = entryAt(this.#seen);
    if (Atomics.load(this.#words, at) !== this.#seen + 1) return false;
    take(
      Atomics.load(this.#words, at + 1) >>> 0,
      Atomics.load(this.#words, at + 2) >>> 0,
    );
    this.#seen++;
    return true;
  }
}

function entryAt(number: number): number {
  return HEAD_WORDS + number % RING_SIZE * ENTRY_WORDS;
}
