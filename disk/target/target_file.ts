import { AT_SYMLINK_NOFOLLOW, errnoName } from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import type { DiskCalls } from "../disk_calls.ts";
import { DiskError } from "../disk_error.ts";
import type { FreshEntry } from "./fresh_entries.ts";
import type { AttributeSetter, TargetAttributes } from "./target_attributes.ts";

/** Options of creating a file. */
export interface CreateFileOptions {
  /** Writes under another name until the file is finished; then it replaces what stands there. */
  readonly temporary?: boolean;
  /** Whether its name was seen to be free: an entry that has it all the same is not replaced. */
  readonly isFree?: boolean;
  /** Permission bits that it is to have. They are set at the end all the same, unless it has them. */
  readonly mode?: number | undefined;
}

/** Parts of a file of a target. */
export interface TargetFileParts {
  /** The back end. */
  readonly calls: DiskCalls;
  /** Sets attributes. */
  readonly setter: AttributeSetter;
  /** Attributes that creation gave, as far as they are known. */
  readonly fresh: FreshEntry | undefined;
  /** Descriptor of the file. */
  readonly fd: number;
  /** Descriptor of its directory, opened again if need be. */
  readonly directory: () => number;
  /** Name and NUL that the file has now. */
  readonly writtenName: Uint8Array;
  /** Name and NUL that the file is to have. */
  readonly name: Uint8Array;
  /** Path relative to the target. */
  readonly path: () => Uint8Array;
  /** Whether nothing is to be replaced. */
  readonly isFree: boolean;
}

/** A new file of a target, open for writing. It is ended by `finish` or `abandon`. */
export class TargetFile implements Disposable {
  readonly #parts: TargetFileParts;
  #isOpen = true;

  /** For `Target.createFile`. */
  constructor(parts: TargetFileParts) {
    this.#parts = parts;
  }

  /** Path of the file, relative to the target. */
  get path(): Uint8Array {
    return this.#parts.path();
  }

  /**
   * Writes bytes.
   *
   * @param offset Where they begin in the file.
   * @throws {DiskError} If they cannot be written.
   */
  write(bytes: Uint8Array, offset: number): void {
    const { calls, fd } = this.#parts;
    for (let done = 0; done < bytes.length;) {
      const rest = done === 0 ? bytes : bytes.subarray(done);
      const written = calls.pwrite(fd, rest, offset + done);
      if (written < 0) throw this.#error("write", written);
      done += written;
    }
  }

  /**
   * Writes bytes except where the file is to have holes. Bytes that are not zeros are written
   * whatever the list of holes says. `setSize` ends the file where it ends in a hole.
   *
   * @param offset Where they begin in the file.
   * @param holes Start and size of each hole, ascending.
   * @throws {DiskError} If they cannot be written.
   */
  writeSparse(bytes: Uint8Array, offset: number, holes: Float64Array): void {
    const end = offset + bytes.length;
    let at = offset;
    for (
      let i = 2 * firstHoleAfter(holes, offset);
      i < holes.length && at < end;
      i += 2
    ) {
      const start = Math.max(at, holes[i]);
      const stop = Math.min(end, holes[i] + holes[i + 1]);
      if (start >= end) break;
      if (stop <= start || !isZero(bytes, start - offset, stop - offset)) {
        continue;
      }
      if (start > at) {
        this.write(bytes.subarray(at - offset, start - offset), at);
      }
      at = stop;
    }
    if (at < end) {
      this.write(at === offset ? bytes : bytes.subarray(at - offset), at);
    }
  }

  /**
   * Makes the file longer, by a hole, or shorter.
   *
   * @param size Its size in bytes.
   * @throws {DiskError} If it cannot have that size.
   */
  setSize(size: number): void {
    const { calls, fd } = this.#parts;
    const result = calls.ftruncate(fd, size);
    if (result < 0) throw this.#error("set size of", result);
  }

  /**
   * Sets attributes; to be called once, after the last write.
   *
   * @param wanted What the file is to have.
   * @returns What could not be done.
   */
  setAttributes(wanted: TargetAttributes): readonly DiskError[] {
    const { fd, path, fresh, setter } = this.#parts;
    return setter.set({ fd, path }, wanted, fresh);
  }

  /**
   * Closes the file, and gives it its name where it was written under another: what had that name
   * before is replaced.
   *
   * @throws {DiskError} If that fails; then the file is gone.
   */
  finish(): void {
    const { calls, directory, fd, name, writtenName } = this.#parts;
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const closed = calls.close(fd);
    let result = closed;
    if (closed >= 0 && writtenName !== name) {
      const into = directory();
      if (this.#parts.isFree && this.#isTaken(into)) {
        calls.unlinkAt(into, writtenName, 0);
        throw new DiskError("name", this.path, "EEXIST");
      }
      result = calls.renameAt(into, writtenName, into, name);
    }
    if (result >= 0) return;
    calls.unlinkAt(directory(), writtenName, 0);
    throw this.#error(closed < 0 ? "close" : "name", result);
  }

  /** A file system that takes two names for one would let the second replace the first. */
  #isTaken(directory: number): boolean {
    const { calls, name } = this.#parts;
    const stats = new StatTable(1);
    return calls.statAt(directory, name, AT_SYMLINK_NOFOLLOW, stats, 0) >= 0;
  }

  /** Closes and removes the file. Does nothing after `finish`. */
  abandon(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const { calls, directory, fd, writtenName } = this.#parts;
    calls.close(fd);
    calls.unlinkAt(directory(), writtenName, 0);
  }

  /** Abandons the file unless it is finished. */
  [Symbol.dispose](): void {
    this.abandon();
  }

  #error(action: string, result: number): DiskError {
    return new DiskError(action, this.path, errnoName(result));
  }
}

/** Number of the first hole that ends after an offset. */
function firstHoleAfter(holes: Float64Array, offset: number): number {
  let low = 0;
  let high = holes.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holes[2 * middle] + holes[2 * middle + 1] > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
