/**
 * Ranges of files that this program may open itself.
 *
 * @module
 */
import { NotFoundError, StoreError } from "@snap/store";
import type { AwaitedRanges } from "./ranges.ts";

/** Files that are open at most. */
export const FILES_OPEN_MAX = 64;
/** Room for the stored bytes of a frame before the first one. */
const BUFFER_SIZE = 256 * 1024;
/** A range begins at most so far behind the one before to follow it. */
const GAP_MAX = 64 * 1024;

/** Calls that open and read files; failures are thrown with a `code`, as by `node:fs`. */
export interface FileCalls {
  /** Opens a file to read, without waiting for a fifo that stands in its place. */
  open(path: string): number;
  /** Reads at an offset; 0 at the end of the file. */
  read(file: number, out: Uint8Array, offset: number): number;
  /** Closes a file. */
  close(file: number): void;
}

/** Options of {@linkcode LocalRanges}. */
export interface LocalRangesOptions {
  /** The path of a file of the store. */
  readonly pathOf: (name: string) => string;
  /** Calls that open and read files. */
  readonly calls: FileCalls;
  /** Bytes read at once where ranges of a file follow each other; as much as is asked for if left out. */
  readonly aheadSize?: number;
}

/** Reads ranges of local files at once: `take` never returns `undefined`. */
export class LocalRanges implements AwaitedRanges, Disposable, AsyncDisposable {
  readonly wanted: readonly number[] = [];
  readonly isFar = false;
  readonly #pathOf: (name: string) => string;
  readonly #calls: FileCalls;
  readonly #aheadSize: number;
  /** Open files, and whether each was used since it was last looked at. */
  readonly #files = new Map<
    string,
    { readonly file: number; isUsed: boolean }
  >();
  #buffer = new Uint8Array(BUFFER_SIZE);
  /** The range that is in the buffer. */
  #name = "";
  #start = 0;
  #end = 0;
  #isClosed = false;

  /**
   * Makes a reader; nothing is opened yet.
   *
   * @param options Where the files are, and what reads them
   */
  constructor(options: LocalRangesOptions) {
    this.#pathOf = options.pathOf;
    this.#calls = options.calls;
    this.#aheadSize = options.aheadSize ?? 0;
  }

  take(name: string, offset: number, length: number): Uint8Array {
    const isSame = name === this.#name;
    const end = offset + length;
    if (!isSame || offset < this.#start || end > this.#end) {
      const follows = isSame && offset >= this.#start &&
        offset <= this.#end + GAP_MAX;
      this.#fill(
        name,
        offset,
        follows ? Math.max(length, this.#aheadSize) : length,
      );
      if (this.#end < end) {
        const found = this.#end - offset;
        this.#name = "";
        throw new StoreError(
          `Cannot read ${name} as ${length} bytes are wanted at ${offset}: found ${found}`,
          { code: "SHORT", action: "read", storeName: name },
        );
      }
    }
    const from = offset - this.#start;
    return this.#buffer.subarray(from, from + length);
  }

  hint(): void {}

  distrust(): boolean {
    return false;
  }

  forgetWanted(): void {}

  arrived(): Promise<void> {
    return Promise.resolve();
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const { file } of this.#files.values()) this.#calls.close(file);
    this.#files.clear();
    this.#name = "";
  }

  /** As the other, for those who do not know what they close. */
  [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    return Promise.resolve();
  }

  #fill(name: string, offset: number, size: number): void {
    if (this.#buffer.length < size) this.#buffer = new Uint8Array(2 * size);
    this.#name = "";
    let end = 0;
    try {
      const file = this.#open(name);
      while (end < size) {
        const room = this.#buffer.subarray(end, size);
        const count = this.#calls.read(file, room, offset + end);
        if (count === 0) break;
        end += count;
      }
    } catch (cause) {
      throw readFailure(name, this.#pathOf(name), cause);
    } finally {
      // A read after the end leaves nothing open.
      if (this.#isClosed) this[Symbol.dispose]();
    }
    this.#name = name;
    this.#start = offset;
    this.#end = offset + end;
  }

  #open(name: string): number {
    const known = this.#files.get(name);
    if (known !== undefined) {
      known.isUsed = true;
      return known.file;
    }
    this.#makeRoom();
    const file = this.#calls.open(this.#pathOf(name));
    this.#files.set(name, { file, isUsed: false });
    return file;
  }

  /** Closes the oldest file that was not used meanwhile. */
  #makeRoom(): void {
    for (const [name, known] of this.#files) {
      if (this.#files.size < FILES_OPEN_MAX) return;
      this.#files.delete(name);
      if (known.isUsed) {
        known.isUsed = false;
        this.#files.set(name, known);
      } else this.#calls.close(known.file);
    }
  }
}

function readFailure(name: string, path: string, cause: unknown): Error {
  const code = (cause as { readonly code?: string }).code ?? "UNKNOWN";
  if (code === "ENOENT") return new NotFoundError(name, { cause });
  return new StoreError(`Cannot read ${name}: the disk refuses (${code})`, {
    code,
    action: "read",
    storeName: name,
    path,
    cause,
  });
}
