/**
 * Descriptors to wait for.
 *
 * @module
 */

/**
 * A reusable list of descriptors and events for `poll`.
 *
 * @example
 * ```ts
 * import { POLLIN } from "@snap/posix/constants";
 * import { PollSet } from "@snap/posix";
 * import { posix } from "@snap/posix";
 *
 * if (posix) {
 *   const fd = posix.eventfd(1);
 *   const set = new PollSet(1);
 *   set.watch(0, fd, POLLIN);
 *   if (posix.poll(set, 100) === 1) console.log(set.happened(0) === POLLIN);
 *   posix.close(fd);
 * }
 * ```
 */
export class PollSet {
  /** Number of descriptors. */
  readonly count: number;
  /** The array of `struct pollfd`: descriptor i32, events i16, answer i16. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #i32: Int32Array;
  readonly #u16: Uint16Array;

  /** Makes a set in which every place is unused. */
  constructor(count: number) {
    this.count = count;
    this.bytes = new Uint8Array(count * 8);
    this.#i32 = new Int32Array(this.bytes.buffer);
    this.#u16 = new Uint16Array(this.bytes.buffer);
    for (let i = 0; i < count; i++) this.#i32[i * 2] = -1;
  }

  /**
   * Says what to wait for.
   *
   * @param fd A descriptor; -1 leaves the place unused.
   * @param events `POLLIN`, `POLLOUT` or both.
   */
  watch(i: number, fd: number, events: number): void {
    this.#i32[i * 2] = fd;
    this.#u16[i * 4 + 2] = events;
    this.#u16[i * 4 + 3] = 0;
  }

  /**
   * Events of the descriptor, after `poll`.
   *
   * @returns Bits as in `watch`, and `POLLERR`, `POLLHUP`, `POLLNVAL`.
   */
  happened(i: number): number {
    return this.#u16[i * 4 + 3];
  }
}
