const CLOSED = 1, OPEN = 0;
const GATE = 0, SIZE = 1, WORDS = 2;

/**
 * Holds threads that make packs while too many packs wait for the store, and lets
 * them hand a pack on early while none does: two words of shared memory. The main
 * thread sets them and never waits.
 */
export class SpoolGate {
  /** The shared memory, to hand to a worker. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  /**
   * Makes an open gate, or stands at the one of another thread.
   *
   * @param buffer The memory of that one.
   */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(WORDS * 4)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** Closes or opens the gate. */
  set isClosed(isClosed: boolean) {
    Atomics.store(this.#words, GATE, isClosed ? CLOSED : OPEN);
    if (!isClosed) Atomics.notify(this.#words, GATE);
  }

  /** Bytes with which a pack is large enough at present, whatever its target. */
  get sizeEnough(): number {
    return Atomics.load(this.#words, SIZE) || Infinity;
  }

  set sizeEnough(size: number) {
    Atomics.store(this.#words, SIZE, size === Infinity ? 0 : size);
  }

  /** Blocks the thread until the gate is open. */
  pass(): void {
    while (Atomics.load(this.#words, GATE) === CLOSED) {
      Atomics.wait(this.#words, GATE, CLOSED);
    }
  }
}
