/**
 * A lock in a word of shared memory.
 *
 * @module
 */

// Mutex after Drepper, "Futexes are tricky": free, held, held and waited for.
const FREE = 0;
const HELD = 1;
const AWAITED = 2;

/**
 * Takes a lock; waits while another thread has it.
 *
 * @param words Shared memory
 * @param at The word of the lock, 0 at first
 */
export function lock(words: Int32Array, at: number): void {
  if (Atomics.compareExchange(words, at, FREE, HELD) === FREE) return;
  while (Atomics.exchange(words, at, AWAITED) !== FREE) {
    Atomics.wait(words, at, AWAITED);
  }
}

/**
 * Gives a lock back.
 *
 * @param words Shared memory
 * @param at The word of the lock
 */
export function unlock(words: Int32Array, at: number): void {
  if (Atomics.exchange(words, at, FREE) === AWAITED) {
    Atomics.notify(words, at, 1);
  }
}
