/**
 * What the kernel tells of watched directories.
 *
 * @module
 */

// struct inotify_event: watch i32, mask u32, cookie u32, size of the name u32, name and NULs.
const HEAD_SIZE = 16;
/** Room for the longest name: a smaller buffer reads nothing. */
const SIZE_MIN = HEAD_SIZE + 256;

/**
 * Events that one `read` of an `inotify` descriptor gave; reused from call to call.
 *
 * @example
 * ```ts
 * import { IN_CREATE } from "@snap/posix/constants";
 * import { posix, WatchEvents } from "@snap/posix";
 *
 * if (posix) {
 *   const fd = posix.inotify();
 *   posix.addWatch(fd, new TextEncoder().encode("/tmp\0"), IN_CREATE);
 *   const events = new WatchEvents();
 *   events.begin(posix.read(fd, events.bytes)); // A negative size is no event.
 *   while (events.next()) console.log(events.watch, events.mask, events.name());
 *   posix.close(fd);
 * }
 * ```
 */
export class WatchEvents {
  /** Where `read` puts what the kernel tells. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Number of the watch; -1 where the event is of none. */
  watch: number = -1;
  /** `IN_MODIFY` and so on. */
  mask: number = 0;
  readonly #words: DataView;
  #nameStart = 0;
  #next = 0;
  #end = 0;

  /**
   * Makes room for events.
   *
   * @param size Bytes that one call may fill: at least 272.
   * @throws {RangeError} If the size is too small for one name.
   */
  constructor(size: number = 65536) {
    if (size < SIZE_MIN) {
      throw new RangeError(
        `Cannot read events as a batch needs ${SIZE_MIN} bytes: found ${size}`,
      );
    }
    this.bytes = new Uint8Array(size);
    this.#words = new DataView(this.bytes.buffer);
  }

  /**
   * Stands before the first event.
   *
   * @param size Number of bytes that were read.
   */
  begin(size: number): void {
    this.#next = 0;
    this.#end = size;
  }

  /**
   * Goes to the next event.
   *
   * @returns Whether there is one.
   */
  next(): boolean {
    const start = this.#next;
    if (start + HEAD_SIZE > this.#end) return false;
    const next = start + HEAD_SIZE + this.#words.getUint32(start + 12, true);
    if (next > this.#end) return false;
    this.watch = this.#words.getInt32(start, true);
    this.mask = this.#words.getUint32(start + 4, true);
    this.#nameStart = start + HEAD_SIZE;
    this.#next = next;
    return true;
  }

  /**
   * The name of what has changed in the watched directory, as a view that the next call overwrites.
   *
   * @returns The name without its NULs; empty for the directory itself.
   */
  name(): Uint8Array<ArrayBuffer> {
    const { bytes } = this;
    const start = this.#nameStart;
    let end = start;
    while (end < this.#next && bytes[end] !== 0) end++;
    return bytes.subarray(start, end);
  }
}
