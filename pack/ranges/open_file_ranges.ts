import { closeSync, constants, openSync, readSync } from "node:fs";
import { fileFailure } from "./store_file_error.ts";

/** Nobody waits for a fifo that stands in the place of a file. */
export const READ_FLAGS: number = constants.O_RDONLY | constants.O_NONBLOCK;

/** Reads ranges of named files, which stay open until they are disposed of. */
export class FileRanges implements Disposable {
  readonly #descriptors = new Map<string, number>();

  /**
   * Opens the files.
   *
   * @param files Their names and paths.
   * @throws {StoreError} If one of them cannot be opened.
   */
  constructor(
    files: Iterable<{ readonly name: string; readonly path: string }>,
  ) {
    for (const { name, path } of files) {
      try {
        this.#descriptors.set(name, openSync(path, READ_FLAGS));
      } catch (error) {
        this[Symbol.dispose]();
        throw fileFailure("read", path, error);
      }
    }
  }

  /**
   * Reads a range of a file.
   *
   * @param name The name of the file.
   * @param offset The first byte.
   * @param out The bytes read; all of it is filled.
   * @throws {RangeError} If the file is too short.
   * @throws {StoreError} If it cannot be read.
   */
  readonly readAt = (name: string, offset: number, out: Uint8Array): void => {
    const descriptor = this.#descriptors.get(name)!;
    let size = 0;
    while (size < out.length) {
      const left = out.length - size;
      let read;
      try {
        read = readSync(descriptor, out, size, left, offset + size);
      } catch (error) {
        throw fileFailure("read", name, error);
      }
      if (read === 0) {
        throw new RangeError(
          `Cannot read ${name} as it needs ${out.length} bytes at ${offset}: found ${size}`,
        );
      }
      size += read;
    }
  };

  /** Closes the files. */
  [Symbol.dispose](): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
    this.#descriptors.clear();
  }
}
