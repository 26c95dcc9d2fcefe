/**
 * One batch of names of a directory.
 *
 * @module
 */

// struct linux_dirent64: inode u64, offset i64, size of the record u16, type u8, name, NUL.
const RECORD_SIZE_OFFSET = 16;
const TYPE_OFFSET = 18;
const NAME_OFFSET = 19;
const RECORD_SIZE_MIN = 24;
const DOT = 46;

/**
 * Names and types that one `directoryEntries` call gave; reused from call to call.
 *
 * Name `i` is `bytes[nameStarts[i]..nameEnds[i])`, and a NUL follows it.
 *
 * @example
 * ```ts
 * import { AT_FDCWD, O_DIRECTORY } from "@snap/posix/constants";
 * import { DirectoryEntries } from "@snap/posix";
 * import { posix } from "@snap/posix";
 *
 * if (posix) {
 *   const entries = new DirectoryEntries();
 *   const fd = posix.openAt(AT_FDCWD, new TextEncoder().encode("/\0"), O_DIRECTORY, 0);
 *   while (posix.directoryEntries(fd, entries) > 0) {
 *     for (let i = 0; i < entries.count; i++) console.log(entries.name(i), entries.types[i]);
 *   }
 *   posix.close(fd);
 * }
 * ```
 */
export class DirectoryEntries {
  /** Bytes that the kernel wrote; the names lie in them. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each name begins in {@linkcode bytes}. */
  readonly nameStarts: Uint32Array<ArrayBuffer>;
  /** Where each name ends in {@linkcode bytes}; the byte there is NUL. */
  readonly nameEnds: Uint32Array<ArrayBuffer>;
  /** Type of each entry (`DT_DIR` and so on); `DT_UNKNOWN` on some file systems. */
  readonly types: Uint8Array<ArrayBuffer>;
  /** Number of entries in this batch. */
  count = 0;

  /**
   * Makes room for a batch.
   *
   * @param size Bytes that one call may fill: at least 512.
   * @throws {RangeError} If the size is too small for one name.
   */
  constructor(size: number = 65536) {
    if (size < 512) {
      throw new RangeError(
        `Cannot read directory as a batch needs 512 bytes: found ${size}`,
      );
    }
    const countMax = Math.ceil(size / RECORD_SIZE_MIN);
    this.bytes = new Uint8Array(size);
    this.nameStarts = new Uint32Array(countMax);
    this.nameEnds = new Uint32Array(countMax);
    this.types = new Uint8Array(countMax);
  }

  /**
   * The bytes of a name, as a view that the next call overwrites.
   *
   * @param i Number of the entry, below {@linkcode count}.
   * @returns The name without its NUL.
   */
  name(i: number): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(this.nameStarts[i], this.nameEnds[i]);
  }

  /**
   * Takes apart what the kernel wrote. Drops `.` and `..`.
   *
   * @param size Number of bytes written.
   * @returns The new {@linkcode count}.
   */
  parse(size: number): number {
    const { bytes, nameStarts, nameEnds, types } = this;
    let count = 0;
    let start = 0;
    while (start + RECORD_SIZE_MIN <= size) {
      const recordSize = bytes[start + RECORD_SIZE_OFFSET] |
        bytes[start + RECORD_SIZE_OFFSET + 1] << 8;
      if (recordSize < RECORD_SIZE_MIN || start + recordSize > size) break;
      const nameStart = start + NAME_OFFSET;
      // Records are padded to 8 bytes, so the NUL is in the last 8; what follows it is not zeroed.
      let nameEnd = start + recordSize - 8;
      if (nameEnd < nameStart) nameEnd = nameStart;
      while (bytes[nameEnd] !== 0) nameEnd++;
      if (!isDots(bytes, nameStart, nameEnd)) {
        nameStarts[count] = nameStart;
        nameEnds[count] = nameEnd;
        types[count++] = bytes[start + TYPE_OFFSET];
      }
      start += recordSize;
    }
    this.count = count;
    return count;
  }
}

function isDots(bytes: Uint8Array, start: number, end: number): boolean {
  return bytes[start] === DOT &&
    (end - start === 1 || (end - start === 2 && bytes[start + 1] === DOT));
}
