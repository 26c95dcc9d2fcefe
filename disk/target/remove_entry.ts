import {
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  EBUSY,
  ENOENT,
  errnoName,
  ESTALE,
  EXDEV,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  S_IFDIR,
  S_IFMT,
} from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import type { DiskCalls } from "../disk_calls.ts";
import { DiskError } from "../disk_error.ts";
import { terminated } from "../read_whole_file.ts";
import { joinName } from "../bytes.ts";
import type { Listing } from "../listing.ts";
import { makeWritable } from "./make_writable.ts";
import { isMountPoint, openUnmounted } from "./mount_points.ts";
import { type FileIdentity, isFile } from "../file_identity.ts";

export interface RemovedEntry {
  /** Descriptor of its directory. */
  readonly directory: number;
  readonly name: Uint8Array;
  /** Its path, for errors. */
  readonly path: Uint8Array;
  /** Store that stays wherever it is met: meeting it is an error. */
  readonly excludeStore: FileIdentity | undefined;
  /** Buffers to list into. */
  readonly listing: Listing;
}

/** A directory that is being emptied. */
interface Level {
  /** Its name and NUL. */
  readonly name: Uint8Array;
  /** Its inode, in row 0: the way back up must lead here. */
  readonly self: StatTable;
  /** Names of what is in it, each followed by NUL. */
  readonly names: Uint8Array;
  /** Its descriptor; -1 while it is closed. */
  fd: number;
  /** Where the next name begins. */
  next: number;
  /** Whether something in it could not be removed. */
  isKept: boolean;
}

const DIRECTORY_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
const PARENT: Uint8Array = terminated("..");
/** Levels that are open at once. */
const OPEN_MAX = 32;

/**
 * Removes an entry, and all below it where it is a directory, however deep. No link is followed.
 * Entries that cannot be removed stay, and so do the directories above them; the rest goes.
 *
 * @throws {DiskError} The first of what could not be removed: `EMOUNT` where something is mounted.
 */
export function removeEntry(calls: DiskCalls, entry: RemovedEntry): void {
  const removal = new Removal(calls, entry);
  try {
    removal.run();
  } finally {
    removal.close();
  }
  if (removal.error !== undefined) throw removal.error;
}

class Removal {
  /** The first of what could not be removed. */
  error: DiskError | undefined;
  readonly #calls: DiskCalls;
  readonly #entry: RemovedEntry;
  readonly #levels: Level[] = [];

  constructor(calls: DiskCalls, entry: RemovedEntry) {
    this.#calls = calls;
    this.#entry = entry;
  }

  run(): void {
    this.#remove(this.#entry.directory, terminated(this.#entry.name));
    for (;;) {
      const level = this.#levels.at(-1);
      if (level === undefined) return;
      const start = level.next;
      if (start === level.names.length) this.#leave();
      else {
        level.next = level.names.indexOf(0, start) + 1;
        this.#remove(level.fd, level.names.subarray(start, level.next));
      }
    }
  }

  /** Removes what is no directory; a directory is entered. */
  #remove(directory: number, name: Uint8Array): void {
    const calls = this.#calls;
    const self = new StatTable(1);
    const found = calls.statAt(directory, name, AT_SYMLINK_NOFOLLOW, self, 0);
    if (found === -ENOENT) return;
    if (found < 0) return this.#keep("stat", name, errnoName(found));
    if ((self.mode(0) & S_IFMT) !== S_IFDIR) {
      return this.#unlink(directory, name, 0);
    }
    if (isFile(self, 0, this.#entry.excludeStore)) {
      return this.#keep("remove", name, "ESTORE");
    }
    makeWritable(calls, directory, name, self);
    const fd = openUnmounted(calls, directory, name, DIRECTORY_FLAGS);
    if (fd === -EXDEV) return this.#keep("remove", name, "EMOUNT");
    if (fd < 0) return this.#keep("open directory", name, errnoName(fd));
    this.#enter(fd, name);
  }

  #enter(fd: number, name: Uint8Array): void {
    const calls = this.#calls;
    const self = new StatTable(1);
    let result = calls.stat(fd, self, 0);
    if (result >= 0) result = this.#entry.listing.read(calls, fd);
    if (result < 0) {
      calls.close(fd);
      return this.#keep("list directory", name, errnoName(result));
    }
    const names = namesOf(this.#entry.listing);
    const level = { name: name.slice(), self, names, fd, next: 0 };
    this.#levels.push({ ...level, isKept: false });
    // Without native calls a directory is its path, no descriptor, and knows no way up.
    const shallow = this.#levels.at(-1 - OPEN_MAX);
    if (shallow === undefined || calls.reduced === true) return;
    if (shallow.fd >= 0) {
      calls.close(shallow.fd);
      shallow.fd = -1;
    }
  }

  /** Removes the directory that has been emptied. */
  #leave(): void {
    const level = this.#levels.pop()!;
    const above = this.#levels.at(-1);
    try {
      if (above?.fd === -1) above.fd = this.#openAbove(level, above);
    } finally {
      this.#calls.close(level.fd);
    }
    if (!level.isKept) {
      const directory = above?.fd ?? this.#entry.directory;
      this.#unlink(directory, level.name, AT_REMOVEDIR);
    } else if (above !== undefined) above.isKept = true;
  }

  #openAbove(level: Level, above: Level): number {
    const calls = this.#calls;
    const fd = calls.openAt(level.fd, PARENT, DIRECTORY_FLAGS, 0);
    const found = new StatTable(1);
    const result = fd < 0 ? fd : calls.stat(fd, found, 0);
    if (result >= 0 && found.sameFile(0, above.self, 0)) return fd;
    if (fd >= 0) calls.close(fd);
    // Moved by somebody else: who knows what is above it now.
    throw new DiskError(
      "remove",
      this.#path(level.name),
      errnoName(result < 0 ? result : -ESTALE),
    );
  }

  #unlink(directory: number, name: Uint8Array, flags: number): void {
    const result = this.#calls.unlinkAt(directory, name, flags);
    if (result >= 0 || result === -ENOENT) return;
    const isMounted = result === -EBUSY &&
      isMountPoint(this.#calls, directory, name);
    this.#keep("remove", name, isMounted ? "EMOUNT" : errnoName(result));
  }

  /** Notes that an entry of the directory that is being emptied stays. */
  #keep(action: string, name: Uint8Array, code: string): void {
    this.error ??= new DiskError(action, this.#path(name), code);
    const above = this.#levels.at(-1);
    if (above !== undefined) above.isKept = true;
  }

  /** The path of an entry of the directory that is being emptied. */
  #path(name: Uint8Array): Uint8Array {
    let { path } = this.#entry;
    if (this.#levels.length === 0) return path;
    const names = [...this.#levels.slice(1).map((level) => level.name), name];
    for (const one of names) path = joinName(path, one, 0, one.length - 1);
    return path;
  }

  close(): void {
    for (const { fd } of this.#levels) if (fd >= 0) this.#calls.close(fd);
  }
}

/** The names of a listing, each followed by NUL. */
function namesOf(listing: Listing): Uint8Array {
  const { bytes, count, ends, starts } = listing;
  let size = 0;
  for (let i = 0; i < count; i++) size += ends[i] - starts[i] + 1;
  const names = new Uint8Array(size);
  for (let i = 0, at = 0; i < count; i++) {
    names.set(bytes.subarray(starts[i], ends[i]), at);
    at += ends[i] - starts[i] + 1;
  }
  return names;
}
