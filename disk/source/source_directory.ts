import {
  DEPTH_MAX,
  type ExtendedAttribute,
  TARGET_SIZE_MAX,
} from "@snap/manifest/extras";
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
} from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import type { DiskError } from "../disk_error.ts";
import { type ListedRows, listRows, noRows, STEP_ROWS } from "./list_rows.ts";
import { terminated } from "../read_whole_file.ts";
import { joinName } from "../bytes.ts";
import type { SourceWalk } from "./source_walk.ts";
import { encodeFound, type PutObject } from "../xattrs.ts";

const OPEN_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

/** Parts of an open directory. */
interface Opened {
  readonly fd: number;
  readonly path: Uint8Array;
  readonly depth: number;
  readonly self: StatTable;
  readonly rows: ListedRows;
  /** Lists more rows with each step. */
  readonly steps: Generator<void> | undefined;
}

/** Whether a directory keeps all rows, or gives them a step at a time. */
type Manner = "whole" | "steps";

/**
 * One directory of a source, open until it is closed. Its rows are in ascending byte order of
 * names. Sub-directories are opened relative to it, so it stays open while `child` is called.
 *
 * A directory that was opened to be listed in steps has rows `first` to `count` in its stats, from
 * one call of `more` to the next; names and ends are there for all rows so far.
 */
export class SourceDirectory implements Disposable {
  /** Path relative to the source; empty for the source itself. */
  readonly path: Uint8Array;
  /** The directory itself, in row 0. */
  readonly self: StatTable;
  readonly #walk: SourceWalk;
  readonly #rows: ListedRows;
  readonly #depth: number;
  #steps: Generator<void> | undefined;
  #fd: number;

  private constructor(walk: SourceWalk, opened: Opened) {
    this.#walk = walk;
    this.#fd = opened.fd;
    this.#depth = opened.depth;
    this.#rows = opened.rows;
    this.#steps = opened.steps;
    this.path = opened.path;
    this.self = opened.self;
  }

  /** Number of rows; so far, as long as the directory is not listed. */
  get count(): number {
    return this.#rows.count;
  }

  /** The row in row 0 of the stats: 0, unless the directory is listed in steps. */
  get first(): number {
    return this.#rows.first;
  }

  /** Number of rows at most; nothing as long as not all names are known. */
  get rowsMax(): number | undefined {
    return this.#rows.rowsMax;
  }

  /** Names, one after the other. */
  get names(): Uint8Array {
    return this.#rows.names;
  }

  /** Where each name ends within the names. */
  get ends(): Uint32Array {
    return this.#rows.ends;
  }

  /** Stat of each entry when it was listed. May have more rows than there are. */
  get stats(): StatTable {
    return this.#rows.stats;
  }

  /** Whether there are no more rows to come. */
  get isListed(): boolean {
    return this.#steps === undefined;
  }

  /**
   * Opens the root of a walk. A symbolic link to a directory is followed.
   *
   * @internal
   */
  static openRoot(walk: SourceWalk, manner: Manner): SourceDirectory {
    const fd = walk.calls.open(terminated(walk.path), OPEN_FLAGS, 0);
    if (fd < 0) throw walk.fail("open directory", walk.path, fd);
    walk.opened(fd);
    const result = walk.calls.stat(fd, walk.root, 0);
    if (result < 0) throw walk.fail("stat", walk.path, result);
    const path = new Uint8Array(0);
    walk.onDirectory?.(path, fd, walk.root);
    const rows = noRows(walk.ignore.scope());
    const window = windowOf(walk, manner);
    const opened = { fd, path, scope: rows.scope, isRoot: true, window };
    const root = new SourceDirectory(walk, {
      fd,
      path,
      depth: 0,
      self: walk.root,
      rows,
      steps: listRows(walk, opened, rows),
    });
    if (manner === "whole") { while (root.more()); }
    return root;
  }

  /**
   * Lists more rows. Those in the stats are replaced.
   *
   * @returns Whether there may be others.
   */
  more(): boolean {
    if (this.#steps?.next().done === true) this.#steps = undefined;
    return this.#steps !== undefined;
  }

  /** Where a name begins within the names. */
  nameStart(i: number): number {
    return i === 0 ? 0 : this.ends[i - 1];
  }

  /**
   * Name of an entry.
   *
   * @returns A view of the bytes.
   */
  name(i: number): Uint8Array {
    return this.names.subarray(this.nameStart(i), this.ends[i]);
  }

  /** Path of an entry, relative to the source. */
  pathOf(i: number): Uint8Array {
    return joinName(this.path, this.names, this.nameStart(i), this.ends[i]);
  }

  /** Whether an entry is a directory. */
  isDirectory(i: number): boolean {
    return (this.stats.mode(i - this.first) & S_IFMT) === S_IFDIR;
  }

  /** Whether an entry is a regular file. */
  isFile(i: number): boolean {
    return (this.stats.mode(i - this.first) & S_IFMT) === S_IFREG;
  }

  /**
   * Opens a sub-directory and lists it.
   *
   * @returns The directory, to be closed by the caller; or why it cannot be read, which is in the
   *   errors of the source too.
   */
  child(i: number): SourceDirectory | DiskError {
    return this.#open(i, "whole");
  }

  /**
   * Opens a sub-directory, to be listed in steps: one of some thousand entries keeps the thread
   * for seconds else. Stats are good until another directory is opened, or the next step.
   *
   * @returns The directory, to be closed by the caller, after its first step; or why it cannot be
   *   read, which is in the errors of the source too.
   */
  open(i: number): SourceDirectory | DiskError {
    const child = this.#open(i, "steps");
    if (child instanceof SourceDirectory) child.more();
    return child;
  }

  #open(i: number, manner: Manner): SourceDirectory | DiskError {
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
    walk.onDirectory?.(path, fd, self);
    const scope = this.#rows.scope.enter(
      this.names,
      this.nameStart(i),
      this.ends[i],
    );
    const rows = noRows(scope);
    const window = windowOf(walk, manner);
    const opened = { fd, path, scope, isRoot: false, window };
    const child = new SourceDirectory(walk, {
      fd,
      path,
      depth: this.#depth + 1,
      self,
      rows,
      steps: this.#isBorder(fd, self)
        ? undefined
        : listRows(walk, opened, rows),
    });
    if (manner === "whole") { while (child.more()); }
    return child;
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
   * @returns The bytes; or why they cannot be read, which is in the errors of the source too.
   */
  targetOf(i: number): Uint8Array | DiskError {
    const walk = this.#walk;
    const buffer = walk.target;
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
    this.#steps?.return(undefined);
    this.#steps = undefined;
    this.#walk.close(this.#fd);
    this.#fd = -1;
  }

  /** Closes the directory. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function windowOf(walk: SourceWalk, manner: Manner): StatTable | undefined {
  return manner === "whole"
    ? undefined
    : walk.window ??= new StatTable(STEP_ROWS);
}
