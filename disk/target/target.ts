import { checkTarget } from "@snap/manifest/path";
import {
  AT_SYMLINK_NOFOLLOW,
  ENOENT,
  errnoName,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_RDWR,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
} from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import type { DiskCalls } from "../disk_calls.ts";
import { DiskError } from "../disk_error.ts";
import { terminated } from "../read_whole_file.ts";
import { FreshEntries } from "./fresh_entries.ts";
import { joinName } from "../bytes.ts";
import { AttributeSetter, type TargetAttributes } from "./target_attributes.ts";
import {
  DIRECTORY_MODE,
  type EnterOptions,
  type Replacement,
  type TargetDirectories,
  type TargetDirectory,
} from "./target_directories.ts";
import { type CreateFileOptions, TargetFile } from "./target_file.ts";
import { isMountPoint } from "./mount_points.ts";
import { removeEntry } from "./remove_entry.ts";
import type { XattrValue } from "../xattrs.ts";
import { checkedName } from "../checked_name.ts";
import { Listing } from "../listing.ts";
import { listEntries } from "./list_target.ts";
import type { DeviceNumber, TargetEntries } from "./target_entries.ts";

const FILE_FLAGS = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
/** Files are private until their own mode is set. */
const FILE_MODE = 0o600;

/**
 * A directory that is written into. Every step is relative to an open directory and follows no
 * link. Directories stay open while they are in use, and are opened again when needed.
 */
export class Target implements Disposable {
  /** `reduced` without native calls: see `nodeCalls`. */
  readonly fidelity: "full" | "reduced";
  readonly #listing: Listing = new Listing();
  readonly #calls: DiskCalls;
  readonly #directories: TargetDirectories;
  readonly #setter: AttributeSetter;
  readonly #fresh: FreshEntries;
  readonly #freshDirectories: FreshEntries;

  /** For `openTarget`. */
  constructor(calls: DiskCalls, directories: TargetDirectories) {
    this.fidelity = calls.reduced ? "reduced" : "full";
    this.#calls = calls;
    this.#directories = directories;
    this.#setter = new AttributeSetter(calls);
    this.#fresh = new FreshEntries(calls, this.#setter);
    this.#freshDirectories = new FreshEntries(calls, this.#setter);
  }

  /** The target itself. */
  get root(): TargetDirectory {
    return this.#directories.root;
  }

  /**
   * A directory in a directory.
   *
   * @param parent The directory above.
   * @param options Whether it is made.
   * @throws {DiskError} If it is absent, or a link or something else stands there.
   */
  directory(
    parent: TargetDirectory,
    name: Uint8Array,
    options: EnterOptions = {},
  ): TargetDirectory {
    return this.#directories.enter(parent, name, options);
  }

  /**
   * A directory by its path.
   *
   * @param path Path relative to the target; empty for the target itself.
   * @param options Whether it is known to be a fresh one: such a one is opened when it is used.
   * @throws {DiskError} If it is absent, or a part of the path is a link or something else. It
   *   names that part.
   */
  directoryAt(
    path: Uint8Array,
    options: { readonly isFresh?: boolean } = {},
  ): TargetDirectory {
    return this.#directories.at(path, options.isFresh);
  }

  /**
   * Creates a file, empty and with mode 0600; in a fresh directory it may have the mode that it is
   * to have.
   *
   * @param directory Where it is created.
   * @param options Whether it is written under another name first, and its mode.
   * @returns The file, to be finished or abandoned.
   * @throws {DiskError} If it cannot be created, or stands there already.
   */
  createFile(
    directory: TargetDirectory,
    name: Uint8Array,
    options: CreateFileOptions = {},
  ): TargetFile {
    const finalName = checkedName("create", directory, name);
    const path = (): Uint8Array => pathOf(directory, name);
    const writtenName = options.temporary === true
      ? this.#directories.temporaryName()
      : finalName;
    const { isFree = false } = options;
    const mode = this.#fresh.modeFor(directory, options.mode) ?? FILE_MODE;
    const fd = this.#directories.create(directory, writtenName, {
      flags: FILE_FLAGS,
      mode,
    });
    if (fd < 0) throw fail("create", directory, name, errnoName(fd));
    return new TargetFile({
      calls: this.#calls,
      setter: this.#setter,
      fresh: this.#fresh.look(directory, { fd, mode }),
      fd,
      directory: () => this.#directories.fd(directory),
      writtenName,
      name: finalName,
      path,
      isFree,
    });
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
    replacement: Replacement,
  ): void {
    this.#directories.replace(directory, name, replacement);
  }

  /**
   * Creates a symbolic link.
   *
   * @param directory Where it is created.
   * @param to Where it points; never followed.
   * @throws {DiskError} If it cannot be created.
   */
  symlink(directory: TargetDirectory, name: Uint8Array, to: Uint8Array): void {
    if (checkTarget(to, 0, to.length) !== undefined) {
      throw fail("create link", directory, name, "EUNSAFE");
    }
    const link = terminated(to);
    this.#create("create link", directory, name, (at, text) => {
      return this.#calls.symlinkAt(link, at, text);
    });
  }

  /**
   * Gives a file that stands in the target one more name.
   *
   * @param directory Where the name is created.
   * @param name The new name.
   * @throws {DiskError} If it cannot be created.
   */
  hardLink(
    directory: TargetDirectory,
    name: Uint8Array,
    existing: {
      readonly directory: TargetDirectory;
      readonly name: Uint8Array;
    },
  ): void {
    const oldName = checkedName("link", existing.directory, existing.name);
    this.#create("create hard link", directory, name, (at, text) => {
      // Two may be open at the least, so both descriptors are good.
      const oldAt = this.#directories.fd(existing.directory);
      const newAt = oldAt === at ? at : this.#directories.fd(directory);
      return this.#calls.linkAt(oldAt, oldName, newAt, text, 0);
    });
  }

  /**
   * Creates a named pipe with mode 0600.
   *
   * @param directory Where it is created.
   * @throws {DiskError} If it cannot be created.
   */
  fifo(directory: TargetDirectory, name: Uint8Array): void {
    this.#create("create fifo", directory, name, (at, text) => {
      return this.#calls.mknodAt(at, text, S_IFIFO | FILE_MODE, 0, 0);
    });
  }

  /**
   * Creates a device with mode 0600. Only root may.
   *
   * @param directory Where it is created.
   * @param kind Which kind it is.
   * @throws {DiskError} If it cannot be created.
   */
  device(
    directory: TargetDirectory,
    name: Uint8Array,
    kind: "character" | "block",
    number: DeviceNumber,
  ): void {
    const mode = FILE_MODE | (kind === "block" ? S_IFBLK : S_IFCHR);
    this.#create("create device", directory, name, (at, text) => {
      return this.#calls.mknodAt(at, text, mode, number.major, number.minor);
    });
  }

  #create(
    action: string,
    directory: TargetDirectory,
    name: Uint8Array,
    act: (at: number, text: Uint8Array) => number,
  ): void {
    const text = checkedName(action, directory, name);
    const result = act(this.#directories.fd(directory), text);
    if (result < 0) throw fail(action, directory, name, errnoName(result));
  }

  /**
   * Sets attributes of a directory; after everything in it, as that touches its time.
   *
   * @param wanted What it is to have.
   * @returns What could not be done.
   */
  setDirectoryAttributes(
    directory: TargetDirectory,
    wanted: TargetAttributes,
  ): readonly DiskError[] {
    const fd = this.#directories.fd(directory);
    const fresh = directory.isFresh
      ? this.#freshDirectories.look(directory, { fd, mode: DIRECTORY_MODE })
      : undefined;
    return this.#setter.set({ fd, path: () => directory.path }, wanted, fresh);
  }

  /**
   * Sets attributes of an entry that is not open. Links are not followed.
   *
   * @param wanted What it is to have.
   * @returns What could not be done.
   * @throws {DiskError} If it is not there, or something is mounted on it.
   */
  setAttributes(
    directory: TargetDirectory,
    name: Uint8Array,
    wanted: TargetAttributes,
  ): readonly DiskError[] {
    const present = new StatTable(1);
    if (!this.stat(directory, name, present, 0)) {
      throw fail("set attributes of", directory, name, "ENOENT");
    }
    if (this.isMountPoint(directory, name)) {
      throw fail("set attributes of", directory, name, "EMOUNT");
    }
    const place = {
      fd: this.#directories.fd(directory),
      name: terminated(name),
      path: () => pathOf(directory, name),
    };
    const mode = present.mode(0);
    return this.#setter.set(place, wanted, { stats: present, mode });
  }

  /**
   * Looks at an entry. Links are not followed.
   *
   * @param name Its name; absent for the directory itself.
   * @param table Where the answer goes.
   * @returns False if it is not there.
   * @throws {DiskError} If that cannot be told.
   */
  stat(
    directory: TargetDirectory,
    name: Uint8Array | undefined,
    table: StatTable,
    row: number,
  ): boolean {
    const text = name && checkedName("stat", directory, name);
    const at = this.#directories.fd(directory);
    const flags = AT_SYMLINK_NOFOLLOW;
    const result = text === undefined
      ? this.#calls.stat(at, table, row)
      : this.#calls.statAt(at, text, flags, table, row);
    if (result === -ENOENT) return false;
    if (result >= 0) return true;
    const path = name === undefined ? directory.path : pathOf(directory, name);
    throw new DiskError("stat", path, errnoName(result));
  }

  /**
   * Lists a directory, with everything that is in it.
   *
   * @returns Steps that give the work that was done, then its entries.
   * @throws {DiskError} If it cannot be listed.
   */
  list(directory: TargetDirectory): Generator<number, TargetEntries> {
    const fd = this.#directories.fd(directory);
    return listEntries(this.#calls, fd, directory.path, {
      listing: this.#listing.unused(),
      excludeStore: this.#directories.excludeStore,
    });
  }

  /**
   * Whether the extended attributes of an entry are those wanted. Links are not followed.
   *
   * @param name Its name; absent for the directory itself.
   * @param wanted All of them.
   * @returns True if nothing needs to be set or removed.
   * @throws {DiskError} If the directory cannot be opened.
   */
  hasXattrs(
    directory: TargetDirectory,
    name: Uint8Array | undefined,
    wanted: readonly XattrValue[],
  ): boolean {
    const text = name && { name: checkedName("stat", directory, name) };
    const fd = this.#directories.fd(directory);
    const place = { fd, ...text, path: () => directory.path };
    return this.#setter.hasXattrs(place, wanted);
  }

  /**
   * Whether something is mounted on an entry. Nothing behind it is the target's.
   *
   * @returns True if so; also for a part of the same file system, where the kernel can tell.
   * @throws {DiskError} If the directory cannot be opened.
   */
  isMountPoint(directory: TargetDirectory, name: Uint8Array): boolean {
    const text = checkedName("stat", directory, name);
    return isMountPoint(this.#calls, this.#directories.fd(directory), text);
  }

  /**
   * Removes an entry, and everything below it where it is a directory. Links are not followed, and
   * what is mounted below is not entered. What is gone already is no error.
   *
   * @throws {DiskError} If something cannot be removed, and the directories above it; all else is
   *   gone.
   */
  removeTree(directory: TargetDirectory, name: Uint8Array): void {
    checkedName("remove", directory, name);
    const path = pathOf(directory, name);
    this.#directories.forget(path);
    removeEntry(this.#calls, {
      directory: this.#directories.fd(directory),
      name,
      path,
      excludeStore: this.#directories.excludeStore,
      listing: this.#listing.unused(),
    });
  }

  /** Closes everything. */
  [Symbol.dispose](): void {
    this.#directories.close();
  }
}

const pathOf = (directory: TargetDirectory, name: Uint8Array): Uint8Array =>
  joinName(directory.path, name, 0, name.length);

function fail(
  action: string,
  directory: TargetDirectory,
  name: Uint8Array,
  code: string,
): DiskError {
  return new DiskError(action, pathOf(directory, name), code);
}
