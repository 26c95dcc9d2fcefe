import process from "node:process";
import { diskCalls, DiskError, terminated } from "@snap/disk";
import { openTarget, type Target } from "@snap/disk/target";
import { storePlace } from "@snap/disk/source";
import { displayPath } from "@snap/manifest/path";
import { runAtOnce } from "@snap/posix/pacer";
import { StatTable } from "@snap/posix/stat-table";
import {
  errnoName,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
} from "@snap/posix/constants";
import { posix, posixAbsentReason } from "@snap/posix";
import type { Snapshots } from "@snap/snapshot";
import type { NamedRecord } from "@snap/snapshot/records";
import type { ReadStore } from "@snap/store";
import { restore, type RestoreOptions, type RestoreResult } from "./restore.ts";

/** A name has no more bytes. */
const NAME_SIZE_MAX = 255;

/** Thrown where a directory cannot be put in the place of another; that one is as it was. */
export class SwapError extends Error {
  /** Advice for the user. */
  readonly hint: string;
  /** What could not be restored. */
  readonly errors: readonly DiskError[];

  /** Made by {@linkcode swap}. */
  constructor(
    message: string,
    options: ErrorOptions & {
      readonly hint: string;
      readonly errors?: readonly DiskError[];
    },
  ) {
    super(message, options);
    this.name = "SwapError";
    this.hint = options.hint;
    this.errors = options.errors ?? [];
  }
}

/** Options of {@linkcode swap}. */
export interface SwapOptions
  extends Omit<RestoreOptions, "existing" | "delete" | "dryRun"> {
  /** The name that the old directory has afterwards, beside the new one; it is removed if left out. */
  readonly keepOld?: string;
  /** Called before the names are exchanged; what it throws leaves all as it was. */
  readonly onComplete?: () => void | Promise<void>;
}

/**
 * Restores a snapshot beside a directory, all of it, and then puts it in its place
 * in one step: whoever looks sees the old one or the new one, and nothing between.
 *
 * @param target The absolute path of the directory; an absent one is made.
 * @param options How it is restored, and what becomes of the old one.
 * @returns What was restored.
 * @throws {SwapError} If it is not one directory that can be exchanged, or not all could be
 *   restored.
 * @throws {DiskError} If the disk is full, or the old directory could not be removed.
 */
export async function swap(
  snapshots: Snapshots<ReadStore>,
  record: NamedRecord,
  target: string,
  options: SwapOptions = {},
): Promise<RestoreResult> {
  const { keepOld, onComplete, ...rest } = options;
  const place = new SwapPlace(target, snapshots);
  try {
    if (keepOld !== undefined) place.checkFree(keepOld);
    place.check();
    place.removeLeft();
    try {
      const result = await restore(snapshots, record, place.newPath, rest);
      if (result.errors.length > 0) throw place.incomplete(result.errors);
      await onComplete?.();
      rest.signal?.throwIfAborted();
      place.exchange(keepOld);
      return result;
    } catch (error) {
      place.removeNew();
      throw error;
    }
  } finally {
    place[Symbol.dispose]();
  }
}

/** The directory that holds the old and the new one. */
class SwapPlace implements Disposable {
  readonly newPath: string;
  readonly #target: string;
  readonly #name: Uint8Array;
  readonly #newName: Uint8Array;
  readonly #prefix: string;
  readonly #parent: Target;
  readonly #stats = new StatTable(2);
  readonly #store: ReturnType<typeof storePlace>;
  /** Whether something stands there to be exchanged. */
  #hasOld = false;

  constructor(target: string, { store }: Snapshots<ReadStore>) {
    const end = target.lastIndexOf("/");
    const name = target.slice(end + 1);
    if (name === "" || name === "." || name === "..") {
      throw this.#refuse(
        target,
        "it is not the name of a directory",
        "give it by its name, as /srv/www",
      );
    }
    const parent = target.slice(0, end) || "/";
    this.#target = target;
    this.#prefix = `.${name}.snap-swap-`;
    const newName = `${this.#prefix}${process.pid}`;
    this.#name = bytesOf(name);
    this.#newName = bytesOf(newName);
    if (this.#newName.length > NAME_SIZE_MAX) {
      throw this.#refuse(
        target,
        "its name is too long for another beside it",
        "move it to a shorter name first",
      );
    }
    this.newPath = `${parent === "/" ? "" : parent}/${newName}`;
    this.#store = storePlace(store);
    this.#parent = openTarget(parent, { excludeStore: this.#store?.identity });
  }

  [Symbol.dispose](): void {
    this.#parent[Symbol.dispose]();
  }

  /** Sees that what stands there can be exchanged. */
  check(): void {
    const { root } = this.#parent;
    const stats = this.#stats;
    if (!this.#parent.stat(root, this.#name, stats, 0)) return;
    const target = this.#target;
    const type = stats.mode(0) & S_IFMT;
    if (type === S_IFLNK) {
      throw this.#refuse(
        target,
        "it is a symbolic link",
        "name the directory that it leads to",
      );
    }
    if (type !== S_IFDIR) {
      throw this.#refuse(
        target,
        "it is not a directory",
        "restore --existing replaces a file",
      );
    }
    if (this.#parent.isMountPoint(root, this.#name)) {
      throw this.#refuse(
        target,
        "something is mounted there",
        "restore --existing --delete writes into it",
      );
    }
    const place = this.#store;
    if (place !== undefined && `${place.path}/`.startsWith(`${target}/`)) {
      throw this.#refuse(
        target,
        `the store ${place.path} lies in it`,
        "restore --existing --delete leaves the store where it is",
      );
    }
    if (posix === undefined) {
      throw this.#refuse(
        target,
        `there are no native calls: ${posixAbsentReason}`,
        "run it on Linux, with --allow-ffi or with koffi installed",
      );
    }
    this.#hasOld = true;
  }

  /** Sees that a name is not taken. */
  checkFree(name: string): void {
    const bytes = bytesOf(name);
    const isName = name !== "" && name !== "." && name !== ".." &&
      !name.includes("/") && bytes.length <= NAME_SIZE_MAX;
    if (!isName) {
      throw this.#refuse(
        this.#target,
        `${JSON.stringify(name)} is not a name`,
        "the old directory is kept beside the new one",
      );
    }
    if (this.#parent.stat(this.#parent.root, bytes, this.#stats, 1)) {
      throw this.#refuse(
        this.#target,
        `${name} is there already`,
        "another name keeps the old directory",
      );
    }
  }

  /** Removes what a run left that was killed. */
  removeLeft(): void {
    const { root } = this.#parent;
    const { count, names, ends } = runAtOnce(this.#parent.list(root));
    for (let row = 0; row < count; row++) {
      const name = names.slice(row === 0 ? 0 : ends[row - 1], ends[row]);
      const text = new TextDecoder().decode(name);
      if (!text.startsWith(this.#prefix)) continue;
      const pid = text.slice(this.#prefix.length);
      if (!/^[0-9]{1,10}$/.test(pid)) continue;
      if (Number(pid) !== process.pid && isRunning(pid)) {
        throw this.#refuse(
          this.#target,
          `process ${pid} is doing that`,
          "wait for its end",
        );
      }
      this.#parent.removeTree(root, name);
    }
  }

  /** Removes the new directory, as long as it is not in place. */
  removeNew(): void {
    const { root } = this.#parent;
    if (!this.#parent.stat(root, this.#newName, this.#stats, 1)) return;
    this.#parent.removeTree(root, this.#newName);
  }

  /** Puts the new directory in place, and keeps or removes the old one. */
  exchange(keepOld: string | undefined): void {
    const calls = diskCalls();
    const path = bytesOf(
      this.newPath.slice(0, this.newPath.lastIndexOf("/") + 1),
    );
    const fd = calls.open(
      terminated(path),
      O_RDONLY | O_DIRECTORY | O_CLOEXEC,
      0,
    );
    if (fd < 0) throw new DiskError("open directory", path, errnoName(fd));
    try {
      // What is in place is to be on the disk, before the old one goes.
      posix?.syncfs(fd);
      const [name, newName] = [this.#name, this.#newName].map(terminated);
      let old = newName;
      if (this.#hasOld && keepOld !== undefined) {
        old = terminated(keepOld);
        this.#must(calls.renameAt(fd, newName, fd, old));
      }
      const result = this.#hasOld
        ? posix!.exchangeAt(fd, name, old)
        : calls.renameAt(fd, newName, fd, name);
      // Its own name again, so that it is removed.
      if (result < 0 && old !== newName) calls.renameAt(fd, old, fd, newName);
      this.#must(result);
      calls.fsync(fd);
    } finally {
      calls.close(fd);
    }
    if (this.#hasOld && keepOld === undefined) {
      this.#parent.removeTree(this.#parent.root, this.#newName);
    }
  }

  incomplete(errors: readonly DiskError[]): SwapError {
    return new SwapError(
      `Cannot swap ${
        this.#shown(this.#target)
      }: not all of the snapshot could be restored beside it`,
      {
        hint:
          "it is as it was; restore into another directory keeps what is left",
        errors,
      },
    );
  }

  #must(result: number): void {
    if (result >= 0) return;
    const code = errnoName(result);
    if (code === "EINVAL" || code === "ENOSYS") {
      throw this.#refuse(
        this.#target,
        "this file system cannot exchange two names",
        "restore --existing --delete writes into it, file by file",
      );
    }
    if (code === "EBUSY") {
      throw this.#refuse(
        this.#target,
        "something is mounted there",
        "unmount it first",
      );
    }
    throw new DiskError("swap", bytesOf(this.#target), code);
  }

  #refuse(target: string, reason: string, hint: string): SwapError {
    return new SwapError(`Cannot swap ${this.#shown(target)}: ${reason}`, {
      hint,
    });
  }

  #shown(path: string): string {
    return displayPath(bytesOf(path));
  }
}

/** Whether a process of this number is there; one of another machine is not seen. */
function isRunning(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
