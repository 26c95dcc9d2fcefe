import type { ExtendedAttribute } from "@snap/manifest/extras";
import { DEPTH_MAX, TARGET_SIZE_MAX } from "@snap/manifest/limits";
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
} from "@snap/posix/flags";
import { S_IFDIR, S_IFMT, S_IFREG } from "@snap/posix/mode";
import { StatTable } from "@snap/posix/stat-table";
import type { DiskError } from "./disk_error.ts";
import type { RuleScope } from "./ignore_rules.ts";
import { type ListedRows, listRows, noRows } from "./_list_rows.ts";
import { terminated } from "./_read_whole_file.ts";
import { joinName, type SourceWalk } from "./_source_walk.ts";
import { encodeFound, type PutObject } from "./xattrs.ts";

const OPEN_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

/** What a directory is made from. */
interface Opened {
  readonly fd: number;
  readonly path: Uint8Array;
  readonly depth: number;
  readonly self: StatTable;
  readonly rows: ListedRows;
}

/**
 * One directory of a source, open until it is closed. Its rows are in ascending byte order of
 * names. Sub-directories are opened relative to it, so it stays open while `child` is called.
 */
export class SourceDirectory implements Disposable {
  /** Path relative to the source; empty for the source itself. */
  readonly path: Uint8Array;
  /** The directory itself, in row 0. */
  readonly self: StatTable;
  /** Number of rows. */
  readonly count: number;
  /** Names, one after the other. */
  readonly names: Uint8Array;
  /** Where each name ends within the names. */
  readonly ends: Uint32Array;
  /** What each entry was when the directory was listed. May have more rows than `count`. */
  readonly stats: StatTable;
  readonly #walk: SourceWalk;
  readonly #scope: RuleScope;
  readonly #depth: number;
  #fd: number;

  private constructor(walk: SourceWalk, opened: Opened) {
    this.#walk = walk;
    this.#fd = opened.fd;
    this.#depth = opened.depth;
    this.#scope = opened.rows.scope;
    this.path = opened.path;
    this.self = opened.self;
    this.count = opened.rows.count;
    this.names = opened.rows.names;
    this.ends = opened.rows.ends;
    this.stats = opened.rows.stats;
  }

  /**
   * Opens the root of a walk. A symbolic link to a directory is followed.
   *
   * @internal
   */
  static openRoot(walk: SourceWalk): SourceDirectory {
    const fd = walk.calls.open(terminated(walk.path), OPEN_FLAGS, 0);
    if (fd < 0) throw walk.fail("open directory", walk.path, fd);
    walk.opened(fd);
    const result = walk.calls.stat(fd, walk.root, 0);
    if (result < 0) throw walk.fail("stat", walk.path, result);
    const path = new Uint8Array(0);
    const scope = walk.ignore.scope();
    const rows = listRows(walk, { fd, path, scope, isRoot: true });
    return new SourceDirectory(walk, {
      fd,
      path,
      depth: 0,
      self: walk.root,
      rows,
    });
  }

  /** Path of the directory for the operating system. */
  get absolutePath(): Uint8Array {
    const { path } = this.#walk;
    return this.path.length === 0
      ? path
      : joinName(path, this.path, 0, this.path.length);
  }

  /**
   * Where a name begins within the names.
   *
   * @param i Number of the row.
   */
  nameStart(i: number): number {
    return i === 0 ? 0 : this.ends[i - 1];
  }

  /**
   * Name of an entry.
   *
   * @param i Number of the row.
   * @returns A view of the bytes.
   */
  name(i: number): Uint8Array {
    return this.names.subarray(this.nameStart(i), this.ends[i]);
  }

  /**
   * Path of an entry, relative to the source.
   *
   * @param i Number of the row.
   */
  pathOf(i: number): Uint8Array {
    return joinName(this.path, this.names, this.nameStart(i), this.ends[i]);
  }

  /**
   * Whether an entry is a directory.
   *
   * @param i Number of the row.
   */
  isDirectory(i: number): boolean {
    return (this.stats.mode(i) & S_IFMT) === S_IFDIR;
  }

  /**
   * Whether an entry is a regular file.
   *
   * @param i Number of the row.
   */
  isFile(i: number): boolean {
    return (this.stats.mode(i) & S_IFMT) === S_IFREG;
  }

  /**
   * Opens a sub-directory and lists it.
   *
   * @param i Number of its row.
   * @returns The directory, to be closed by the caller; or why it cannot be read, which is in the
   *   errors of the source too.
   */
  child(i: number): SourceDirectory | DiskError {
    const walk = this.#walk;
    const path = this.pathOf(i);
    if (this.#depth >= DEPTH_MAX) {
      return walk.failWith("enter directory", path, "EDEPTH");
    }
    const name = walk.nameAt(this.names, this.nameStart(i), this.ends[i]);
    const fd = walk.calls.openAt(this.#fd, name, OPEN_FLAGS | O_NOFOLLOW, 0);
    if (fd < 0) return walk.fail("open directory", path, fd);
    walk.opened(fd);
    const self = new StatTable(1);
    const result = walk.calls.stat(fd, self, 0);
    if (result < 0) {
      walk.close(fd);
      return walk.fail("stat", path, result);
    }
    const scope = this.#scope.enter(
      this.names,
      this.nameStart(i),
      this.ends[i],
    );
    const rows = this.#isBorder(fd, self)
      ? noRows(scope)
      : listRows(walk, { fd, path, scope, isRoot: false });
    return new SourceDirectory(walk, {
      fd,
      path,
      depth: this.#depth + 1,
      self,
      rows,
    });
  }

  /** Whether another file system begins here that is not to be entered. */
  #isBorder(fd: number, self: StatTable): boolean {
    const walk = this.#walk;
    const major = self.deviceMajor(0);
    const minor = self.deviceMinor(0);
    if (
      major === this.self.deviceMajor(0) && minor === this.self.deviceMinor(0)
    ) return false;
    const isHome = major === walk.root.deviceMajor(0) &&
      minor === walk.root.deviceMinor(0);
    const isBorder = (walk.oneFileSystem && !isHome) ||
      walk.mounts.holds(fd, major, minor);
    if (isBorder) walk.drops.mounts++;
    return isBorder;
  }

  /**
   * Where a symbolic link points.
   *
   * @param i Number of its row.
   * @returns The bytes; or why they cannot be read, which is in the errors of the source too.
   */
  targetOf(i: number): Uint8Array | DiskError {
    const walk = this.#walk;
    const buffer = new Uint8Array(TARGET_SIZE_MAX + 1);
    const name = walk.nameAt(this.names, this.nameStart(i), this.ends[i]);
    const size = walk.calls.readlinkAt(this.#fd, name, buffer);
    if (size < 0) return walk.fail("read link", this.pathOf(i), size);
    if (size > TARGET_SIZE_MAX) {
      return walk.failWith("read link", this.pathOf(i), "ENAMETOOLONG");
    }
    return buffer.slice(0, size);
  }

  /**
   * Extended attributes of an entry that is not a directory, encoded as extras of an attribute
   * page. Those of a sub-directory are its own `extras`, those of a file are read with the file.
   *
   * @param i Number of the row.
   * @param putObject Takes a value over 1 KiB, gives its id.
   * @returns The extras, nothing if there are none; or why they cannot be read.
   */
  extrasOf(
    i: number,
    putObject: PutObject,
  ): Uint8Array | undefined | DiskError {
    const name = this.name(i);
    const read = this.#walk.xattrs.readAt(this.#fd, name, putObject);
    return this.#encode(read, () => this.pathOf(i), putObject);
  }

  /**
   * Extended attributes of the directory itself, encoded as extras of an attribute page.
   *
   * @param putObject Takes a value over 1 KiB, gives its id.
   * @returns The extras, nothing if there are none; or why they cannot be read.
   */
  extras(putObject: PutObject): Uint8Array | undefined | DiskError {
    const read = this.#walk.xattrs.read(this.#fd, putObject);
    return this.#encode(read, () => this.path, putObject);
  }

  #encode(
    read: ExtendedAttribute[] | number,
    path: () => Uint8Array,
    putObject: PutObject,
  ): Uint8Array | undefined | DiskError {
    if (typeof read === "number") {
      return this.#walk.fail("read attributes of", path(), read);
    }
    return read.length === 0
      ? undefined
      : encodeFound(read, undefined, putObject);
  }

  /** Closes the directory; its rows stay readable. */
  close(): void {
    if (this.#fd < 0) return;
    this.#walk.close(this.#fd);
    this.#fd = -1;
  }

  /** Closes the directory. */
  [Symbol.dispose](): void {
    this.close();
  }
}
