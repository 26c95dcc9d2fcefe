import { checkName, splitPath } from "@snap/manifest/path";
import {
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  EEXIST,
  EISDIR,
  ENOTDIR,
  errnoName,
  EXDEV,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  S_IFLNK,
  S_IFMT,
} from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import { checkedName } from "../checked_name.ts";
import type { DiskCalls } from "../disk_calls.ts";
import { DiskError } from "../disk_error.ts";
import { makeWritable } from "./make_writable.ts";
import { openUnmounted } from "./mount_points.ts";
import { createBelow, openBelow } from "../open_below.ts";
import { OpenDirectories } from "./open_directories.ts";
import { joinName } from "../bytes.ts";
import { terminated } from "../read_whole_file.ts";
import { type FileIdentity, isFile } from "../file_identity.ts";
import { TemporaryNames } from "./temporary_names.ts";

/** A directory of a target. It stays good when its descriptor is closed and opened again. */
export interface TargetDirectory {
  /** Path relative to the target; empty for the target itself. */
  readonly path: Uint8Array;
  /** Whether it was made when it was entered. */
  readonly isNew: boolean;
  /**
   * Whether it, and all above it below the target, were made by whoever writes here, and have
   * mode 0700 until that is done: what is made in one of them begins with the attributes of what
   * is made in another, and nobody else sees it.
   */
  readonly isFresh: boolean;
}

const ROOT_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
const CHILD_FLAGS = ROOT_FLAGS | O_NOFOLLOW;
/** Directories are private until their own mode is set. */
export const DIRECTORY_MODE = 0o700;
/** A hard link needs two directories at once. */
const OPEN_MIN = 2;

/** Entry that replaces another. */
export interface Replacement {
  /** Makes it, complete, under the name that is given. */
  readonly make: (temporary: Uint8Array) => void;
  /** Removes what stands there, where it cannot be renamed over. */
  readonly clear?: () => void;
}

/** Options of entering a directory. */
export interface EnterOptions {
  /**
   * Whether it is made if absent, with mode 0700. One of the user's own that stands there, and
   * that its mode keeps from being changed, is given those bits.
   */
  readonly create?: boolean;
  /** Removes what else stands there, once the directory can take its place. */
  readonly clear?: () => void;
  /**
   * Whether its name was seen to be free. If something stands there all the same, the file system
   * takes the name for that of another, and the directory is not entered.
   */
  readonly isFree?: boolean;
}

/** Options of opening the directories of a target. */
export interface TargetDirectoriesOptions {
  /** Directories below the target that are open at most. */
  readonly openMax: number;
  /** A directory that cannot be entered. */
  readonly excludeStore: FileIdentity | undefined;
}

/** The directories of a target, of which a few are open. */
export class TargetDirectories {
  /** The target itself. */
  readonly root: TargetDirectory = {
    path: new Uint8Array(0),
    isNew: false,
    isFresh: false,
  };
  /** A directory that cannot be entered. */
  readonly excludeStore: FileIdentity | undefined;
  readonly #calls: DiskCalls;
  readonly #open: OpenDirectories<TargetDirectory>;
  readonly #names: TemporaryNames = new TemporaryNames();
  /** Fresh directories in which a file was created. */
  readonly #entered: WeakSet<TargetDirectory> = new WeakSet();
  #rootFd: number;

  private constructor(
    calls: DiskCalls,
    rootFd: number,
    { openMax, excludeStore }: TargetDirectoriesOptions,
  ) {
    this.#calls = calls;
    this.excludeStore = excludeStore;
    this.#rootFd = rootFd;
    this.#open = new OpenDirectories(calls, Math.max(OPEN_MIN, openMax));
  }

  /**
   * Opens the target.
   *
   * @param path Its path and NUL.
   * @param options How many are open, and which is not entered.
   * @returns The directories.
   * @throws {DiskError} If it cannot be opened.
   */
  static open(
    calls: DiskCalls,
    path: Uint8Array,
    options: TargetDirectoriesOptions,
  ): TargetDirectories {
    const fd = calls.open(path, ROOT_FLAGS, 0);
    if (fd >= 0) return new TargetDirectories(calls, fd, options);
    throw new DiskError("open target", path.subarray(0, -1), errnoName(fd));
  }

  /**
   * The descriptor of a directory, good until the next call.
   *
   * @throws {DiskError} If it cannot be opened any more.
   */
  fd(directory: TargetDirectory): number {
    if (directory === this.root) return this.#rootFd;
    let fd = this.#open.get(directory);
    if (fd >= 0) return fd;
    fd = openBelow(this.#calls, this.#rootFd, directory.path, "refused");
    if (fd < 0) throw this.#findCulprit(directory.path, fd);
    this.#open.set(directory, fd);
    return fd;
  }

  /**
   * A directory in a directory.
   *
   * @param parent The directory above.
   * @param options Whether it is made.
   * @throws {DiskError} If it cannot be entered: `EMOUNT` where something is mounted, `EFOLDED`
   * where a name that was free is taken.
   */
  enter(
    parent: TargetDirectory,
    name: Uint8Array,
    { create = false, clear, isFree = false }: EnterOptions,
  ): TargetDirectory {
    const text = checkedName("open directory", parent, name);
    const path = joinName(parent.path, name, 0, name.length);
    let made = create ? this.#make(parent, text) : -EEXIST;
    if (made === -EEXIST && clear !== undefined) {
      made = 0;
      this.replace(parent, name, {
        make: (temporary) => {
          const result = this.#make(parent, terminated(temporary));
          if (result >= 0) return;
          throw new DiskError("make directory", path, errnoName(result));
        },
        clear,
      });
    }
    if (made < 0 && made !== -EEXIST) {
      throw new DiskError("make directory", path, errnoName(made));
    }
    const at = this.fd(parent);
    if (made < 0 && create && !isFree) this.#makeWritable(at, text);
    const fd = openUnmounted(this.#calls, at, text, CHILD_FLAGS);
    if (fd < 0) {
      throw new DiskError("open directory", path, this.#explain(at, text, fd));
    }
    if (made < 0) this.#checkEntered(fd, path, isFree);
    const isNew = made >= 0;
    const isFresh = isNew && (parent === this.root || parent.isFresh);
    const directory = { path, isNew, isFresh };
    this.#open.set(directory, fd);
    return directory;
  }

  #make(parent: TargetDirectory, text: Uint8Array): number {
    return this.#calls.mkdirAt(this.fd(parent), text, DIRECTORY_MODE);
  }

  #makeWritable(at: number, text: Uint8Array): void {
    const calls = this.#calls;
    const stats = new StatTable(1);
    const found = calls.statAt(at, text, AT_SYMLINK_NOFOLLOW, stats, 0);
    if (found < 0 || isFile(stats, 0, this.excludeStore)) return;
    makeWritable(calls, at, text, stats);
  }

  #checkEntered(fd: number, path: Uint8Array, isFree: boolean): void {
    let code = isFree ? "EFOLDED" : undefined;
    if (this.excludeStore !== undefined) {
      const stats = new StatTable(1);
      const result = this.#calls.stat(fd, stats, 0);
      if (result < 0) code = errnoName(result);
      else if (isFile(stats, 0, this.excludeStore)) code = "ESTORE";
    }
    if (code === undefined) return;
    this.#calls.close(fd);
    throw new DiskError("open directory", path, code);
  }

  /**
   * A directory by its path.
   *
   * @param path Path relative to the target.
   * @param isFresh Whether it is a fresh one: such a one is opened when it is used.
   * @throws {DiskError} If it cannot be entered; it names the part that is in the way.
   */
  at(path: Uint8Array, isFresh = false): TargetDirectory {
    if (path.length === 0) return this.root;
    const isSafe = (name: Uint8Array) =>
      checkName(name, 0, name.length) === undefined;
    if (!splitPath(path).every(isSafe)) {
      throw new DiskError("open directory", path, "EUNSAFE");
    }
    const directory = { path: path.slice(), isNew: false, isFresh };
    if (!isFresh) this.fd(directory);
    return directory;
  }

  /**
   * Creates a file. The first one in a fresh directory that is not open is created by its whole
   * path: often it is the only one, as files come in the order of packs.
   *
   * @param name Its name and NUL.
   * @returns Its descriptor, or a negative error number.
   * @throws {DiskError} If the directory cannot be opened.
   */
  create(
    directory: TargetDirectory,
    name: Uint8Array,
    { flags, mode }: { readonly flags: number; readonly mode: number },
  ): number {
    const calls = this.#calls;
    if (directory.isFresh && this.#open.get(directory) < 0) {
      if (!this.#entered.has(directory)) {
        this.#entered.add(directory);
        const path = terminated(
          joinName(directory.path, name, 0, name.length - 1),
        );
        const fd = createBelow(calls, this.#rootFd, path, { flags, mode });
        // What is wrong with the way is found below.
        if (fd >= 0) return fd;
      }
    }
    return calls.openAt(this.fd(directory), name, flags, mode);
  }

  /** Finds the part of a path that cannot be entered. */
  #findCulprit(path: Uint8Array, result: number): DiskError {
    let parent = this.root;
    for (const name of splitPath(path)) {
      try {
        parent = this.enter(parent, name, {});
      } catch (error) {
        if (error instanceof DiskError) return error;
        throw error;
      }
    }
    return new DiskError("open directory", path, errnoName(result));
  }

  /** Names an error: for a link in place of a directory Linux says ENOTDIR. */
  #explain(at: number, text: Uint8Array, result: number): string {
    if (result === -EXDEV) return "EMOUNT";
    const stats = new StatTable(1);
    if (result !== -ENOTDIR) return errnoName(result);
    const isLink =
      this.#calls.statAt(at, text, AT_SYMLINK_NOFOLLOW, stats, 0) >= 0 &&
      (stats.mode(0) & S_IFMT) === S_IFLNK;
    return isLink ? "ELOOP" : errnoName(result);
  }

  /** A name, and NUL, for what is not complete. */
  temporaryName(): Uint8Array {
    return this.#names.next();
  }

  /**
   * Puts an entry in the place of another, which stays until the new one is complete.
   *
   * @param replacement How the new one is made.
   * @throws {DiskError} If that cannot be done; nothing of the new one stays.
   */
  replace(
    directory: TargetDirectory,
    name: Uint8Array,
    { make, clear }: Replacement,
  ): void {
    const text = checkedName("replace", directory, name);
    const temporary = this.temporaryName();
    try {
      make(temporary.subarray(0, -1));
      clear?.();
      const at = this.fd(directory);
      const result = this.#calls.renameAt(at, temporary, at, text);
      if (result >= 0) return;
      const path = joinName(directory.path, name, 0, name.length);
      throw new DiskError("replace", path, errnoName(result));
    } finally {
      // Also after a rename: one name of a file does not replace another of it.
      const at = this.fd(directory);
      const result = this.#calls.unlinkAt(at, temporary, 0);
      if (result === -EISDIR) this.#calls.unlinkAt(at, temporary, AT_REMOVEDIR);
    }
  }

  /** Closes a directory that is about to be removed, and all below it. */
  forget(path: Uint8Array): void {
    for (const directory of [...this.#open.keys()]) {
      if (isWithin(directory.path, path)) this.#open.delete(directory);
    }
  }

  /** Closes all. */
  close(): void {
    if (this.#rootFd < 0) return;
    this.#open.closeAll();
    this.#calls.close(this.#rootFd);
    // Nothing may reach a file that gets the number later.
    this.#rootFd = -1;
  }
}

const SLASH = 0x2f;

function isWithin(path: Uint8Array, directory: Uint8Array): boolean {
  if (path.length < directory.length) return false;
  for (let i = 0; i < directory.length; i++) {
    if (path[i] !== directory[i]) return false;
  }
  return path.length === directory.length || path[directory.length] === SLASH;
}
