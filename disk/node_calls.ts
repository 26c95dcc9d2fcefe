import { allowed, type DirectoryEntries } from "@snap/posix";
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  DT_DIR,
  DT_LNK,
  DT_REG,
  DT_UNKNOWN,
  EBADF,
  EINVAL,
  ELOOP,
  ENOTDIR,
  ENOTSUP,
  ESTALE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_NOATIME,
  O_NOFOLLOW,
} from "@snap/posix/constants";
import type { StatTable } from "@snap/posix/stat-table";
import type { Dirent, Stats } from "node:fs";
import { AbsentCalls } from "./absent_calls.ts";
import { attempt } from "./attempt.ts";
import { builtin } from "./builtin.ts";
import { fillStatRow } from "./fill_stat_row.ts";
import type { DiskCalls } from "./disk_calls.ts";

/** A directory that was opened: `node:fs` has no descriptors for them that all runtimes know. */
interface OpenDirectory {
  readonly path: string;
  readonly stats: Stats;
  entries: Dirent[] | undefined;
  next: number;
}

type Fs = typeof import("node:fs");

interface NodeProcess {
  geteuid?(): number;
  umask(mask: number): number;
}

/** Directories have numbers that no file has. */
const DIRECTORY_FD_MIN = 1 << 28;

/**
 * The calls of this package over `node:fs`, for where native calls are absent.
 *
 * Times are in milliseconds, there are no extended attributes, holes, fifos and devices, and names
 * are UTF-8. Each directory is looked at again before anything is done in it, so that a planted
 * link is seen; one planted within that instant is not.
 *
 * @returns The same calls each time.
 */
export function nodeCalls(): DiskCalls {
  return shared ??= new NodeCalls();
}

let shared: NodeCalls | undefined;

class NodeCalls extends AbsentCalls implements DiskCalls {
  readonly reduced = true;
  readonly #fs: Fs = builtin<Fs>("node:fs");
  readonly #directories: Map<number, OpenDirectory> = new Map();
  readonly #created: Map<number, string> = new Map();
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #nextFd = DIRECTORY_FD_MIN;

  open(path: Uint8Array, flags: number, mode: number): number {
    return this.openAt(AT_FDCWD, path, flags, mode);
  }

  openAt(dir: number, name: Uint8Array, flags: number, mode: number): number {
    return this.#within(dir, name, (path) => {
      const { lstatSync, openSync, statSync } = this.#fs;
      if ((flags & O_CREAT) === 0) {
        const stats = (flags & O_NOFOLLOW) === 0
          ? statSync(path)
          : lstatSync(path);
        if ((flags & O_DIRECTORY) !== 0) {
          return this.#openDirectory(path, stats);
        }
        if (stats.isSymbolicLink()) return -ELOOP;
        if (!stats.isFile()) return -EINVAL;
      }
      // Deno knows no O_NOATIME.
      const fd = openSync(path, flags & ~(O_CLOEXEC | O_NOATIME), mode);
      if ((flags & O_CREAT) !== 0) this.#created.set(fd, path);
      return fd;
    });
  }

  #openDirectory(path: string, stats: Stats): number {
    if (!stats.isDirectory()) return -ENOTDIR;
    const fd = this.#nextFd++;
    this.#directories.set(fd, { path, stats, entries: undefined, next: 0 });
    return fd;
  }

  close(fd: number): number {
    if (this.#directories.delete(fd)) return 0;
    this.#created.delete(fd);
    return attempt(() => this.#fs.closeSync(fd));
  }

  read(fd: number, out: Uint8Array): number {
    return attempt(() => this.#fs.readSync(fd, out, 0, out.length, null));
  }

  pread(fd: number, out: Uint8Array, offset: number): number {
    return attempt(() => this.#fs.readSync(fd, out, 0, out.length, offset));
  }

  write(fd: number, bytes: Uint8Array): number {
    return attempt(() => this.#fs.writeSync(fd, bytes, 0, bytes.length, null));
  }

  pwrite(fd: number, bytes: Uint8Array, offset: number): number {
    return attempt(() =>
      this.#fs.writeSync(fd, bytes, 0, bytes.length, offset)
    );
  }

  ftruncate(fd: number, size: number): number {
    return attempt(() => this.#fs.ftruncateSync(fd, size));
  }

  fsync(fd: number): number {
    // A folder cannot be synced everywhere, and a restore does not depend on it.
    return this.#directories.has(fd)
      ? 0
      : attempt(() => this.#fs.fsyncSync(fd));
  }

  statAt(
    dir: number,
    name: Uint8Array,
    flags: number,
    table: StatTable,
    row: number,
  ): number {
    return this.#join(dir, name, (path) => {
      const { lstatSync, statSync } = this.#fs;
      const stats = (flags & AT_SYMLINK_NOFOLLOW) === 0
        ? statSync(path)
        : lstatSync(path);
      fillStatRow(stats, table, row);
    });
  }

  stat(fd: number, table: StatTable, row: number): number {
    const directory = this.#directories.get(fd);
    return attempt(() => {
      const stats = directory
        ? this.#fs.statSync(directory.path)
        : this.#fs.fstatSync(fd);
      fillStatRow(stats, table, row);
    });
  }

  directoryEntries(fd: number, entries: DirectoryEntries): number {
    const directory = this.#directories.get(fd);
    if (directory === undefined) return -EBADF;
    entries.count = 0;
    return attempt(() => {
      directory.entries ??= this.#fs.readdirSync(directory.path, {
        withFileTypes: true,
      });
      let at = 0;
      while (directory.next < directory.entries.length) {
        const entry = directory.entries[directory.next];
        const name = this.#encoder.encode(entry.name);
        const isFull = at + name.length + 1 > entries.bytes.length ||
          entries.count === entries.types.length;
        if (isFull) break;
        entries.bytes.set(name, at);
        entries.bytes[at + name.length] = 0;
        entries.nameStarts[entries.count] = at;
        entries.nameEnds[entries.count] = at + name.length;
        entries.types[entries.count++] = typeOf(entry);
        at += name.length + 1;
        directory.next++;
      }
      return entries.count;
    });
  }

  readlinkAt(dir: number, name: Uint8Array, out: Uint8Array): number {
    return this.#join(dir, name, (path) => {
      const target = this.#encoder.encode(this.#fs.readlinkSync(path));
      const size = Math.min(target.length, out.length);
      out.set(target.subarray(0, size));
      return size;
    });
  }

  mkdirAt(dir: number, name: Uint8Array, mode: number): number {
    return this.#within(
      dir,
      name,
      (path) => void this.#fs.mkdirSync(path, { mode }),
    );
  }

  symlinkAt(target: Uint8Array, dir: number, name: Uint8Array): number {
    return this.#within(
      dir,
      name,
      (path) => this.#fs.symlinkSync(this.#text(target), path),
    );
  }

  linkAt(
    oldDir: number,
    oldName: Uint8Array,
    newDir: number,
    newName: Uint8Array,
  ): number {
    return this.#within(
      oldDir,
      oldName,
      (from) =>
        this.#within(newDir, newName, (to) => this.#fs.linkSync(from, to)),
    );
  }

  unlinkAt(dir: number, name: Uint8Array, flags: number): number {
    const { rmdirSync, unlinkSync } = this.#fs;
    const remove = (flags & AT_REMOVEDIR) === 0 ? unlinkSync : rmdirSync;
    return this.#within(dir, name, (path) => remove(path));
  }

  renameAt(
    oldDir: number,
    oldName: Uint8Array,
    newDir: number,
    newName: Uint8Array,
  ): number {
    return this.#within(
      oldDir,
      oldName,
      (from) =>
        this.#within(newDir, newName, (to) => this.#fs.renameSync(from, to)),
    );
  }

  fchmod(fd: number, mode: number): number {
    return this.#eachWay(fd, (path) => this.#fs.chmodSync(path, mode), () => {
      this.#fs.fchmodSync(fd, mode);
    });
  }

  fchmodAt(dir: number, name: Uint8Array, mode: number): number {
    return this.#within(dir, name, (path) => {
      if (this.#fs.lstatSync(path).isSymbolicLink()) return -ENOTSUP;
      this.#fs.chmodSync(path, mode);
    });
  }

  fchown(fd: number, uid: number, gid: number): number {
    return this.#eachWay(
      fd,
      (path) => this.#fs.chownSync(path, uid, gid),
      () => {
        this.#fs.fchownSync(fd, uid, gid);
      },
    );
  }

  fchownAt(dir: number, name: Uint8Array, uid: number, gid: number): number {
    return this.#within(
      dir,
      name,
      (path) => this.#fs.lchownSync(path, uid, gid),
    );
  }

  utimensAt(dir: number, name: Uint8Array, sec: number, ns: number): number {
    return this.#within(dir, name, (path) => {
      this.#fs.lutimesSync(
        path,
        this.#fs.lstatSync(path).atime,
        toTime(sec, ns),
      );
    });
  }

  futimens(fd: number, sec: number, ns: number): number {
    const { fstatSync, futimesSync, statSync, utimesSync } = this.#fs;
    const time = toTime(sec, ns);
    const byPath = (path: string): void =>
      utimesSync(path, statSync(path).atime, time);
    return this.#eachWay(fd, byPath, () => {
      const { atime, ino } = fstatSync(fd);
      const path = this.#created.get(fd);
      // Deno's futimesSync takes no fraction of a second before 1970.
      const isOld = sec < 0 && path !== undefined &&
        this.#fs.lstatSync(path).ino === ino;
      if (isOld) byPath(path);
      else futimesSync(fd, atime, time);
    });
  }

  umask(mask: number): number {
    return builtin<NodeProcess>("node:process").umask(mask);
  }

  geteuid(): number {
    // Where Deno may not tell, nobody is root.
    if (!allowed("sys", "uid")) return -1;
    return builtin<NodeProcess>("node:process").geteuid?.() ?? -1;
  }

  #text(bytes: Uint8Array): string {
    const end = bytes.indexOf(0);
    return this.#decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
  }

  /** Does something with a name in a directory. */
  #join(
    dir: number,
    name: Uint8Array,
    act: (path: string) => number | void,
  ): number {
    return attempt(() => {
      const text = this.#text(name);
      if (dir === AT_FDCWD) return act(text);
      const directory = this.#directories.get(dir);
      return directory === undefined
        ? -EBADF
        : act(`${directory.path}/${text}`);
    });
  }

  /** Runs a call by path, once the directory proved to be the one that was opened. */
  #within(
    dir: number,
    name: Uint8Array,
    act: (path: string) => number | void,
  ): number {
    return this.#join(dir, name, (path) => {
      const directory = this.#directories.get(dir);
      return directory === undefined || this.#isSame(directory)
        ? act(path)
        : -ESTALE;
    });
  }

  #eachWay(
    fd: number,
    onPath: (path: string) => void,
    onFile: () => void,
  ): number {
    const directory = this.#directories.get(fd);
    if (directory === undefined) return attempt(onFile);
    return attempt(() =>
      this.#isSame(directory) ? onPath(directory.path) : -ESTALE
    );
  }

  #isSame(directory: OpenDirectory): boolean {
    const stats = this.#fs.statSync(directory.path);
    return stats.ino === directory.stats.ino &&
      stats.dev === directory.stats.dev;
  }
}

/**
 * A time as `node:fs` wants it. A number below 0 would mean now; of others the fraction is cut,
 * not rounded, so that 5 ms could end as 4.
 */
function toTime(sec: number, ns: number): number | Date {
  const timeMs = Math.floor(ns / 1e6);
  return sec < 0
    ? new Date(sec * 1000 + timeMs)
    : sec + (timeMs + 0.0005) / 1000;
}

function typeOf(entry: Dirent): number {
  if (entry.isDirectory()) return DT_DIR;
  if (entry.isFile()) return DT_REG;
  return entry.isSymbolicLink() ? DT_LNK : DT_UNKNOWN;
}
