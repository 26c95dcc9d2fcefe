const CLOSED = 1, OPEN = 0;

/**
 * Holds threads that make packs while too many packs wait for the store: one
 * word of shared memory. The main thread sets it and never waits at it.
 */
export class SpoolGate {
  /** The shared memory, to hand to a worker. */
  readonly buffer: SharedArrayBuffer;
  readonly #word: Int32Array;

  /**
   * Makes an open gate, or stands at the one of another thread.
   *
   * @param buffer The memory of that one.
   */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.buffer = buffer;
    this.#word = new Int32Array(buffer);
  }

  /** Closes or opens the gate. */
  set isClosed(isClosed: boolean) {
    Atomics.store(this.#word, 0, isClosed ? CLOSED : OPEN);
    if (!isClosed) Atomics.notify(this.#word, 0);
  }

  /** Blocks the thread until the gate is open. */
  pass(): void {
    while (Atomics.load(this.#word, 0) === CLOSED) {
      Atomics.wait(this.#word, 0, CLOSED);
    }
  }
}
