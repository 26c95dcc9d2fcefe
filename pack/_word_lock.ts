// Mutex after Drepper, "Futexes are tricky": free, held, held and waited for.
const FREE = 0;
const HELD = 1;
const AWAITED = 2;

/** Takes the lock in a word of shared memory. */
export function lock(words: Int32Array, at: number): void {
  if (Atomics.compareExchange(words, at, FREE, HELD) === FREE) return;
  while (Atomics.exchange(words, at, AWAITED) !== FREE) {
    Atomics.wait(words, at, AWAITED);
  }
}

/** Gives the lock back. */
export function unlock(words: Int32Array, at: number): void {
  if (Atomics.exchange(words, at, FREE) === AWAITED) {
    Atomics.notify(words, at, 1);
  }
}
