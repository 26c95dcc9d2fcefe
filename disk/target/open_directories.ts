import type { DiskCalls } from "../disk_calls.ts";

/** Descriptors of directories, at most so many; the one not used for the longest time goes first. */
export class OpenDirectories<Key extends object> {
  readonly #calls: DiskCalls;
  readonly #countMax: number;
  readonly #fds: Map<Key, number> = new Map();
  #last: Key | undefined;
  #lastFd = -1;

  constructor(calls: DiskCalls, countMax: number) {
    this.#calls = calls;
    this.#countMax = countMax;
  }

  /** The descriptor of a directory, or -1 when it is not open. */
  get(key: Key): number {
    if (key === this.#last) return this.#lastFd;
    const fd = this.#fds.get(key);
    if (fd === undefined) return -1;
    this.#fds.delete(key);
    this.#fds.set(key, fd);
    this.#last = key;
    this.#lastFd = fd;
    return fd;
  }

  set(key: Key, fd: number): void {
    this.delete(key);
    for (const oldest of this.#fds.keys()) {
      if (this.#fds.size < this.#countMax) break;
      this.delete(oldest);
    }
    this.#fds.set(key, fd);
    this.#last = key;
    this.#lastFd = fd;
  }

  delete(key: Key): void {
    const fd = this.#fds.get(key);
    if (fd === undefined) return;
    this.#fds.delete(key);
    if (key === this.#last) this.#last = undefined;
    this.#calls.close(fd);
  }

  keys(): IterableIterator<Key> {
    return this.#fds.keys();
  }

  closeAll(): void {
    for (const key of this.#fds.keys()) this.delete(key);
  }
}
