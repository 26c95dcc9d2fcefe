import { closeSync, openSync, readSync } from "node:fs";
import { READ_FLAGS } from "./open_file_ranges.ts";

/** Files that are open at most. */
const FILES_MAX = 32;
/** What is read at once where frames follow each other. */
const AHEAD_SIZE = 512 * 1024;
/** A frame begins at most so far behind the one before to follow it. */
const GAP_MAX = 64 * 1024;

/** Reads ranges of the files of a local store; neighbours are read together. */
export class LocalFiles implements Disposable {
  readonly #prefix: string;
  /** Open files, the one used last at the end. */
  readonly #files = new Map<string, number>();
  #ahead = new Uint8Array(AHEAD_SIZE);
  #aheadFile = "";
  #aheadStart = 0;
  #aheadEnd = 0;

  /**
   * Constructs a new instance.
   *
   * @param prefix What the path of each file begins with.
   */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /**
   * Reads a frame.
   *
   * @param name The pack.
   * @param offset Where it begins.
   * @param size Its stored size.
   * @returns The bytes, good until the next call.
   * @throws {RangeError} If the file ends before.
   */
  frame(name: string, offset: number, size: number): Uint8Array {
    const isSame = name === this.#aheadFile;
    const end = offset + size;
    if (!isSame || offset < this.#aheadStart || end > this.#aheadEnd) {
      const follows = isSame && offset >= this.#aheadStart &&
        offset <= this.#aheadEnd + GAP_MAX;
      this.#fill(name, offset, follows ? Math.max(size, AHEAD_SIZE) : size);
      if (this.#aheadEnd < end) {
        const found = this.#aheadEnd - offset;
        throw new RangeError(
          `Cannot read ${name} as it needs ${size} bytes at ${offset}: found ${found}`,
        );
      }
    }
    const start = offset - this.#aheadStart;
    return this.#ahead.subarray(start, start + size);
  }

  #fill(name: string, offset: number, size: number): void {
    if (this.#ahead.length < size) this.#ahead = new Uint8Array(size);
    this.#aheadFile = "";
    const read = this.#read(
      name,
      offset,
      this.#ahead.subarray(0, size),
    );
    this.#aheadFile = name;
    this.#aheadStart = offset;
    this.#aheadEnd = offset + read;
  }

  /**
   * Reads a range whole.
   *
   * @param name The file.
   * @param offset Where the range begins.
   * @param out Where the bytes go.
   * @throws {RangeError} If the file ends before.
   */
  readAt(name: string, offset: number, out: Uint8Array): void {
    const size = this.#read(name, offset, out);
    if (size === out.length) return;
    throw new RangeError(
      `Cannot read ${name} as it needs ${out.length} bytes at ${offset}: found ${size}`,
    );
  }

  #read(name: string, offset: number, out: Uint8Array): number {
    const file = this.#open(name);
    let size = 0;
    while (size < out.length) {
      const read = readSync(file, out, size, out.length - size, offset + size);
      if (read === 0) break;
      size += read;
    }
    return size;
  }

  #open(name: string): number {
    let file = this.#files.get(name);
    if (file === undefined) {
      for (const [oldest, one] of this.#files) {
        if (this.#files.size < FILES_MAX) break;
        this.#files.delete(oldest);
        closeSync(one);
      }
      file = openSync(this.#prefix + name, READ_FLAGS);
    } else this.#files.delete(name);
    this.#files.set(name, file);
    return file;
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
    this.#aheadFile = "";
  }
}
