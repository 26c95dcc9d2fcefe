/**
 * Bytes of a store's files, for those who may not wait.
 *
 * @module
 */
import {
  EINTR,
  ENOENT,
  errnoMessage,
  errnoName,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
} from "@snap/posix/constants";
import { type Posix, posix, posixAbsentReason } from "@snap/posix";
import { NotFoundError, StoreError } from "@snap/store";
import { SecondChance } from "../second_chance.ts";

/** Files of a {@linkcode LocalRanges} that are open at most. */
export const FILES_OPEN_MAX = 64;

/** Room for the stored bytes of a frame before the first one. */
const BUFFER_SIZE = 256 * 1024;

/**
 * Reads ranges of a store's files without waiting. A range that is not here yet
 * is `undefined`: it is on its way, and the whole question is asked again when it
 * has come.
 */
export interface Ranges {
  /** Numbers of the fetches that reads since `forgetWanted` came too early for. */
  readonly wanted: readonly number[];
  /**
   * Reads a range, whole.
   *
   * @param name Name of the file in the store.
   * @param offset First byte.
   * @param length Number of bytes.
   * @returns The bytes, good until the next call; `undefined` while they are on their way.
   * @throws {NotFoundError} If the store has no such file.
   * @throws {StoreError} If it cannot be read; with code `SHORT` if it ends before.
   */
  read(name: string, offset: number, length: number): Uint8Array | undefined;
  /** Empties `wanted`. */
  forgetWanted(): void;
}

/** Ranges of files that this program may open itself: nothing is ever on its way. */
export class LocalRanges implements Ranges, Disposable {
  readonly wanted: readonly number[] = [];
  readonly #posix: Posix;
  readonly #prefix: string;
  /** Open files. */
  readonly #files = new SecondChance<string, number>({
    sizeMax: FILES_OPEN_MAX,
    onDrop: (file) => void this.#posix.close(file),
  });
  readonly #text = new TextEncoder();
  #buffer = new Uint8Array(BUFFER_SIZE);

  /**
   * Constructs a new instance; nothing is opened yet.
   *
   * @param prefix What the path of each file begins with.
   * @throws {TypeError} If this runtime cannot call the operating system.
   */
  constructor(prefix: string) {
    if (posix === undefined) {
      throw new TypeError(`Cannot read files as ${posixAbsentReason}`);
    }
    this.#posix = posix;
    this.#prefix = prefix;
  }

  read(name: string, offset: number, length: number): Uint8Array {
    if (this.#buffer.length < length) this.#buffer = new Uint8Array(2 * length);
    const file = this.#open(name);
    const out = this.#buffer.subarray(0, length);
    let end = 0;
    while (end < length) {
      const rest = end === 0 ? out : out.subarray(end);
      const count = this.#posix.pread(file, rest, offset + end);
      if (count === -EINTR) continue;
      if (count < 0) throw this.#failure(name, count);
      if (count === 0) throw shortError(name, { offset, length, found: end });
      end += count;
    }
    return out;
  }

  forgetWanted(): void {}

  /** Closes the files. */
  [Symbol.dispose](): void {
    this.#files.clear();
  }

  #open(name: string): number {
    return this.#files.get(name) ?? this.#openNew(name);
  }

  #openNew(name: string): number {
    this.#files.makeRoom(1);
    const path = this.#text.encode(`${this.#prefix}${name}\0`);
    // Nobody waits for a fifo that stands in the place of a pack.
    const flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
    for (;;) {
      const file = this.#posix.open(path, flags, 0);
      if (file >= 0) {
        this.#files.set(name, file, 1);
        return file;
      }
      if (file === -ENOENT) throw new NotFoundError(name);
      if (file !== -EINTR) throw this.#failure(name, file);
    }
  }

  #failure(name: string, result: number): StoreError {
    return new StoreError(`Cannot read ${name}: ${errnoMessage(result)}`, {
      code: errnoName(result),
      action: "read",
      storeName: name,
      path: this.#prefix + name,
    });
  }
}

function shortError(
  name: string,
  range: {
    readonly offset: number;
    readonly length: number;
    readonly found: number;
  },
): StoreError {
  const { offset, length, found } = range;
  return new StoreError(
    `Cannot read ${name} as ${length} bytes are wanted at ${offset}: found ${found}`,
    { code: "SHORT", action: "read", storeName: name },
  );
}
