import {
  encodeHoles,
  type ExtendedAttribute,
  HOLE_SIZE_MIN,
} from "@snap/manifest/extras";
import {
  ENXIO,
  EPERM,
  errnoName,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  SEEK_DATA,
  SEEK_HOLE,
} from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import { diskCalls } from "../best_calls.ts";
import type { DiskCalls } from "../disk_calls.ts";
import { type DiskError, sourceError } from "../disk_error.ts";
import { openBelow } from "../open_below.ts";
import { terminated } from "../read_whole_file.ts";
import { equalBytes, joinName } from "../bytes.ts";
import {
  encodeFound,
  type PutObject,
  Xattrs,
  type XattrValue,
} from "../xattrs.ts";

const FILE_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
const DIRECTORY_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

/** A directory that is open. */
interface OpenDirectory {
  readonly path: Uint8Array;
  readonly fd: number;
}

/** Options of a {@linkcode FileReader}. */
export interface FileReaderOptions {
  /**
   * Directories that stay open, those of the last files.
   *
   * @default {1}
   */
  readonly openMax?: number;
}

/**
 * Reads one file of a source after another. Directories of the last files stay open, so files
 * that come in the order of a walk cost one open each.
 *
 * No link is followed below the source, and nothing waits: where a fifo has taken the place of a
 * file, `isUnchanged` says so.
 *
 * @example
 * ```ts
 * import { FileReader } from "@snap/disk/file";
 * import assert from "node:assert/strict";
 * import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
 *
 * const encode = (text: string) => new TextEncoder().encode(text);
 * const path = mkdtempSync("/tmp/source-");
 * writeFileSync(`${path}/a.txt`, "hello");
 * const reader = new FileReader(path);
 * reader.open(encode(""), encode("a.txt"));
 * const out = new Uint8Array(4096);
 * assert.equal(reader.read(out, 0), 5);
 * reader[Symbol.dispose]();
 * rmSync(path, { recursive: true });
 * ```
 */
export class FileReader implements Disposable {
  /** Stat that `isUnchanged` saw last, in row 0. */
  readonly stats: StatTable = new StatTable(1);
  readonly #calls: DiskCalls;
  readonly #root: Uint8Array;
  readonly #xattrs: Xattrs;
  readonly #name: Uint8Array = new Uint8Array(256);
  readonly #euid: number;
  readonly #openMax: number;
  #rootFd = -1;
  /** Directories that stay open, by their paths, the one used last at the end. */
  readonly #directories: OpenDirectory[] = [];
  #fd = -1;
  #path: () => Uint8Array = () => this.#root;

  /**
   * Prepares for the files of a source. Nothing is opened yet.
   *
   * @param root Path of the source.
   * @param calls The back end; the best there is if absent.
   */
  constructor(
    root: string | Uint8Array,
    calls: DiskCalls = diskCalls(),
    options: FileReaderOptions = {},
  ) {
    this.#openMax = options.openMax ?? 1;
    this.#root = terminated(root);
    this.#calls = calls;
    this.#xattrs = new Xattrs(calls);
    this.#euid = calls.geteuid();
  }

  /**
   * Opens a file; the one before is closed.
   *
   * @param directory Path of its directory, relative to the source.
   * @param uid Its owner: the access time of own files, and for root of all, is left alone.
   * @throws {DiskError} If it cannot be opened.
   */
  open(directory: Uint8Array, name: Uint8Array, uid?: number): void {
    this.close();
    this.#path = () => joinName(directory, name, 0, name.length);
    if (name.length >= this.#name.length) {
      throw this.#error("open", "ENAMETOOLONG");
    }
    const directoryFd = this.#enter(directory);
    this.#name.set(name);
    this.#name[name.length] = 0;
    const isQuiet = O_NOATIME !== undefined &&
      (this.#euid === 0 || this.#euid === uid);
    let fd = -EPERM;
    if (isQuiet) {
      fd = this.#calls.openAt(
        directoryFd,
        this.#name,
        FILE_FLAGS | O_NOATIME,
        0,
      );
    }
    if (fd === -EPERM) {
      fd = this.#calls.openAt(directoryFd, this.#name, FILE_FLAGS, 0);
    }
    if (fd < 0) throw this.#error("open", errnoName(fd));
    this.#fd = fd;
  }

  #enter(path: Uint8Array): number {
    const directories = this.#directories, calls = this.#calls;
    for (let i = directories.length - 1; i >= 0; i--) {
      if (!equalBytes(directories[i].path, path)) continue;
      const [found] = directories.splice(i, 1);
      directories.push(found);
      return found.fd;
    }
    if (directories.length === this.#openMax) {
      calls.close(directories.shift()!.fd);
    }
    if (this.#rootFd < 0) {
      this.#rootFd = calls.open(this.#root, DIRECTORY_FLAGS, 0);
      if (this.#rootFd < 0) throw this.#error("open", errnoName(this.#rootFd));
    }
    const fd = openBelow(calls, this.#rootFd, path, "entered");
    if (fd < 0) throw this.#error("open", errnoName(fd));
    directories.push({ path: path.slice(), fd });
    return fd;
  }

  /**
   * Reads until there are enough bytes or the file ends.
   *
   * @param out Where the bytes go.
   * @param offset Where they begin in the file.
   * @param enough The bytes after which no more are asked for: all that `out` can take, if absent.
   * @returns The number of bytes.
   * @throws {DiskError} If they cannot be read.
   */
  read(out: Uint8Array, offset: number, enough: number = out.length): number {
    let size = 0;
    do {
      const view = size === 0 ? out : out.subarray(size);
      const read = this.#calls.pread(this.#fd, view, offset + size);
      if (read < 0) throw this.#error("read", errnoName(read));
      if (read === 0) break;
      size += read;
    } while (size < enough);
    return size;
  }

  /**
   * Whether the file is still what it was: size, times of modification and change, inode and
   * device. To be asked after the last read.
   *
   * @param expected Table with what it was before.
   * @returns False if not; then {@linkcode FileReader.stats} says what it is now.
   * @throws {DiskError} If the file cannot be looked at.
   */
  isUnchanged(expected: StatTable, row: number): boolean {
    const { stats } = this;
    const result = this.#calls.stat(this.#fd, stats, 0);
    if (result < 0) throw this.#error("stat", errnoName(result));
    return stats.size(0) === expected.size(row) &&
      stats.mtimeNs(0) === expected.mtimeNs(row) &&
      stats.mtimeSec(0) === expected.mtimeSec(row) &&
      stats.ctimeNs(0) === expected.ctimeNs(row) &&
      stats.ctimeSec(0) === expected.ctimeSec(row) &&
      stats.sameFile(0, expected, row);
  }

  /**
   * Extended attributes and holes, encoded as extras of an attribute page.
   *
   * @param stats Table with what the file is; holes are looked for when fewer blocks are stored
   *   than its size needs.
   * @param putObject Takes a value or hole list over 1 KiB, gives its id.
   * @param size Bytes of the content that was read: behind it are no holes.
   * @returns The extras, nothing if there are none.
   * @throws {DiskError} If they cannot be read.
   */
  extras(
    stats: StatTable,
    row: number,
    putObject: PutObject,
    size: number = stats.size(row),
  ): Uint8Array | undefined {
    const xattrs = this.#xattrs.read(this.#fd, putObject);
    if (typeof xattrs === "number") {
      throw this.#error("read attributes of", errnoName(xattrs));
    }
    const holes = this.holes(stats, row, size);
    return this.#encode(xattrs, holes, putObject);
  }

  #encode(
    xattrs: ExtendedAttribute[],
    holes: Float64Array,
    putObject: PutObject,
  ): Uint8Array | undefined {
    if (xattrs.length === 0 && holes.length === 0) return undefined;
    const extras = encodeFound(xattrs, encodeHoles(holes), putObject);
    return extras.length === 0 ? undefined : extras;
  }

  /**
   * Whether the extended attributes are those of a list.
   *
   * @returns True if so; labels that the system gives may be there besides.
   */
  hasXattrs(wanted: readonly XattrValue[]): boolean {
    return this.#xattrs.has(this.#fd, wanted);
  }

  /**
   * Holes of at least 64 KiB.
   *
   * @param stats Table with what the file is.
   * @param size Bytes of the content.
   * @returns Start and size of each, ascending.
   */
  holes(
    stats: StatTable,
    row: number,
    size: number = stats.size(row),
  ): Float64Array {
    if (size < HOLE_SIZE_MIN || stats.blocks(row) * 512 >= size) {
      return NO_HOLES;
    }
    const holes: number[] = [];
    const calls = this.#calls;
    for (let at = 0; at < size;) {
      const start = calls.lseek(this.#fd, at, SEEK_HOLE);
      if (start < 0 || start >= size) break;
      let end = calls.lseek(this.#fd, start, SEEK_DATA);
      if (end === -ENXIO || end > size) end = size;
      if (end <= start) break;
      if (end - start >= HOLE_SIZE_MIN) holes.push(start, end - start);
      at = end;
    }
    return Float64Array.from(holes);
  }

  /**
   * Bytes of a file that are not stored, as far as its numbers tell.
   *
   * @param stats Table with what the file is.
   * @returns The most that its holes can have.
   */
  unstoredSize(stats: StatTable, row: number): number {
    return Math.max(0, stats.size(row) - stats.blocks(row) * 512);
  }

  /**
   * Where a hole ends.
   *
   * @param offset Where it would begin.
   * @param size Bytes of the file: a hole goes no further.
   * @returns Its end, or `offset` if there is none.
   */
  holeEnd(offset: number, size: number): number {
    const end = this.#calls.lseek(this.#fd, offset, SEEK_DATA);
    if (end >= 0) return Math.min(end, size);
    // Nothing but a hole follows, unless the file has shrunk.
    const isHole = end === -ENXIO &&
      this.#calls.stat(this.#fd, this.stats, 0) === 0 &&
      this.stats.size(0) >= size;
    return isHole ? size : offset;
  }

  /** Closes the file; directories stay open. */
  close(): void {
    if (this.#fd >= 0) this.#calls.close(this.#fd);
    this.#fd = -1;
  }

  /** Closes the file and its directories. */
  leave(): void {
    this.close();
    for (const { fd } of this.#directories.splice(0)) this.#calls.close(fd);
  }

  /** Closes everything. */
  [Symbol.dispose](): void {
    this.leave();
    if (this.#rootFd >= 0) this.#calls.close(this.#rootFd);
    this.#rootFd = -1;
  }

  #error(action: string, code: string): DiskError {
    return sourceError(action, this.#path(), code);
  }
}

const NO_HOLES = new Float64Array(0);
