import { type Posix, posix, WatchEvents } from "@snap/posix";
import {
  AT_FDCWD,
  ENOSPC,
  IN_ATTRIB,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_EXCL_UNLINK,
  IN_IGNORED,
  IN_ISDIR,
  IN_MODIFY,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_ONLYDIR,
  IN_Q_OVERFLOW,
  IN_UNMOUNT,
} from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import { equalBytes } from "../bytes.ts";
import { type FileIdentity, identityOf, isFile } from "../file_identity.ts";
import { terminated } from "../read_whole_file.ts";
import { MountWatch } from "./mount_watch.ts";
import { tellsChanges } from "./telling.ts";
import { type WatchedDirectory, WatchedTree } from "./watched_tree.ts";

const CHANGES = IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_FROM |
  IN_MOVED_TO | IN_CREATE | IN_DELETE;
const MASK = CHANGES | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
  IN_EXCL_UNLINK;
const NAMES = IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE;
const SLASH = 0x2f;
const GONE = IN_DELETE_SELF | IN_IGNORED | IN_UNMOUNT;
/** Reads of one look at most: more than a queue holds. */
const READS_MAX = 1024;

/** Cause of silence about a part of a tree. */
export type SilenceReason =
  | "file-system"
  | "watch-limit"
  | "watch-failure"
  | "native-calls";

/** Options of {@linkcode TreeWatch}. */
export interface TreeWatchOptions {
  /**
   * Told of the first directory of each kind of which the kernel is silent.
   *
   * @param path Its path below the tree.
   */
  readonly onSilence?:
    | ((path: Uint8Array, reason: SilenceReason) => void)
    | undefined;
  /** Name of files whose rules hold for all below: with one of them, all below may be another. */
  readonly ruleFile?: Uint8Array | undefined;
  /** The calls of the operating system; those of this machine if absent. */
  readonly calls?: Posix;
}

/**
 * Listens to what the kernel tells of a tree (inotify), from one walk to the next. A walk gives it
 * each directory before it lists it, so nothing that comes after the listing is missed.
 *
 * It tells what is the same, never what has changed: where there is any doubt, nothing is. Not told
 * is what is written through a name outside of the tree, and what is written into mapped memory as
 * long as it stays mapped.
 */
export class TreeWatch implements Disposable {
  readonly #path: Uint8Array;
  readonly #calls: Posix;
  readonly #options: TreeWatchOptions;
  #fd: number;
  readonly #events = new WatchEvents();
  readonly #tree: WatchedTree;
  readonly #mounts: MountWatch;
  readonly #telling = new Map<string, boolean>();
  readonly #silent = new Set<WatchedDirectory>();
  readonly #saidReasons = new Set<SilenceReason>();
  #identity: FileIdentity | undefined;
  #doubt: string | undefined;
  #changeCount = 0;
  #seenCount = 0;

  /**
   * Watches nothing yet.
   *
   * @param path The path of the tree.
   * @param options Who is told of silence.
   */
  constructor(path: Uint8Array, options: TreeWatchOptions = {}) {
    const calls = options.calls ?? posix;
    if (calls === undefined) {
      throw new TypeError("Cannot watch a tree without native calls");
    }
    this.#path = path;
    this.#calls = calls;
    this.#options = options;
    this.#fd = calls.inotify();
    if (this.#fd < 0) this.#doubt = "the kernel has no room for a watch";
    this.#mounts = new MountWatch(calls);
    this.#tree = new WatchedTree((watch) =>
      void calls.removeWatch(this.#fd, watch)
    );
  }

  /** Why nothing is known any more; the next walk needs a new watch. */
  get doubt(): string | undefined {
    return this.#doubt;
  }

  /** Whether the kernel is silent about a part of the tree, which is never the same. */
  get isSilent(): boolean {
    return this.#silent.size > 0;
  }

  /** Number of changes told so far. */
  get changeCount(): number {
    return this.#changeCount;
  }

  /**
   * Watches a directory that is about to be listed.
   *
   * @param path Its path below the tree; those above it come first.
   * @param fd The directory, open.
   * @param self What it is, in row 0.
   */
  add(path: Uint8Array, fd: number, self: StatTable): void {
    if (path.length === 0) this.#begin(fd, self);
    const directory = this.#tree.enter(path);
    if (directory === undefined) return;
    const isTelling = this.#isTelling(fd, self);
    const name = terminated(`/proc/self/fd/${fd}`);
    const watch = isTelling ? this.#calls.addWatch(this.#fd, name, MASK) : -1;
    if (watch >= 0) {
      if (watch !== directory.watch) {
        this.#tree.setWatch(directory, watch);
        // New in this round, whatever was known under its path.
        this.#tree.touch(directory, this.#tree.round - 1);
      }
      return;
    }
    this.#silent.add(directory);
    const limit = watch === -ENOSPC ? "watch-limit" : "watch-failure";
    this.#tellSilence(path, isTelling ? limit : "file-system");
  }

  /** Takes in what was told. Never waits. */
  read(): void {
    const { bytes } = this.#events;
    for (let i = 0; this.#doubt === undefined; i++) {
      if (i === READS_MAX) this.#doubt = "it changes without end";
      const size = this.#calls.read(this.#fd, bytes);
      if (size <= 0) return;
      this.#events.begin(size);
      while (this.#events.next()) this.#take(this.#events);
    }
  }

  /**
   * Takes in what was told, and looks whether the tree is still what it was.
   *
   * @returns Whether anything was told since the last round began, or there is a doubt.
   */
  hasNews(): boolean {
    this.read();
    if (this.#identity !== undefined) this.#lookAround();
    return this.#doubt !== undefined || this.#changeCount !== this.#seenCount;
  }

  /** Begins a round: what is told from now on counts for the next one. */
  beginRound(): void {
    for (const directory of this.#silent) this.#tree.touch(directory);
    this.#seenCount = this.#changeCount;
    this.#tree.round++;
  }

  /**
   * Whether a directory and all below it are as they were when the round before began.
   *
   * @param path Its path below the tree; empty for the tree.
   */
  isSame(path: Uint8Array): boolean {
    const directory = this.#tree.find(path);
    return directory !== undefined && this.#doubt === undefined &&
      directory.changed < this.#tree.round - 1;
  }

  /**
   * Whether a directory and all below it are as they were when the round began.
   *
   * @param path Its path below the tree; empty for the tree.
   */
  isUntouched(path: Uint8Array): boolean {
    const directory = this.#tree.find(path);
    return directory !== undefined && this.#doubt === undefined &&
      directory.changed < this.#tree.round;
  }

  /**
   * Has a directory looked at in the next round, too.
   *
   * @param path The path below the tree of it, or of something in it.
   */
  mark(path: Uint8Array): void {
    const directory = this.#tree.find(path) ??
      this.#tree.find(path.subarray(0, Math.max(path.lastIndexOf(SLASH), 0)));
    if (directory !== undefined) this.#tree.touch(directory);
    else this.#doubt ??= "a directory is not known";
  }

  /** Listens no more. */
  [Symbol.dispose](): void {
    this.#doubt ??= "it is closed";
    this.#mounts[Symbol.dispose]();
    if (this.#fd >= 0) this.#calls.close(this.#fd);
    this.#fd = -1;
  }

  #begin(fd: number, self: StatTable): void {
    if (this.#identity === undefined) {
      this.#identity = identityOf(self, 0);
      this.#mounts.begin(fd);
    } else if (!isFile(self, 0, this.#identity)) {
      this.#doubt ??= "another directory has its name";
    }
  }

  /** Of other mounts, and of another directory under its path, nothing is told. */
  #lookAround(): void {
    const stats = new StatTable(1);
    const name = terminated(this.#path);
    const result = this.#calls.statAt(AT_FDCWD, name, 0, stats, 0);
    if (result < 0 || !isFile(stats, 0, this.#identity)) {
      this.#doubt ??= "another directory has its name";
    }
    if (this.#mounts.hasChanged()) this.#doubt ??= "something was mounted";
  }

  #isTelling(fd: number, self: StatTable): boolean {
    const device = `${self.deviceMajor(0)}:${self.deviceMinor(0)}`;
    let answer = this.#telling.get(device);
    if (answer === undefined) {
      answer = tellsChanges(this.#calls.fsType(fd));
      this.#telling.set(device, answer);
    }
    return answer;
  }

  #tellSilence(path: Uint8Array, reason: SilenceReason): void {
    if (this.#saidReasons.has(reason)) return;
    this.#saidReasons.add(reason);
    this.#options.onSilence?.(path, reason);
  }

  #take(event: WatchEvents): void {
    if ((event.mask & IN_Q_OVERFLOW) !== 0) {
      this.#doubt ??= "more has changed at once than the kernel keeps";
      return;
    }
    let next = this.#tree.ofWatch(event.watch);
    if (next !== undefined) this.#changeCount++;
    while (next !== undefined) {
      const directory = next;
      next = directory.twin;
      this.#takeOf(directory, event);
    }
  }

  #takeOf(directory: WatchedDirectory, event: WatchEvents): void {
    const { mask } = event;
    const { parent } = directory;
    const isGone = (mask & GONE) !== 0;
    if (parent === undefined && (isGone || (mask & IN_MOVE_SELF) !== 0)) {
      this.#doubt ??= "it was moved or removed";
      return;
    }
    this.#tree.touch(directory);
    if (isGone) return this.#tree.forget(directory);
    const { ruleFile } = this.#options;
    if (ruleFile !== undefined && equalBytes(event.name(), ruleFile)) {
      return this.#tree.forgetChildren(directory);
    }
    const isOfDirectory = (mask & IN_ISDIR) !== 0 && (mask & NAMES) !== 0;
    if (isOfDirectory) this.#tree.forgetChild(directory, event.name());
  }
}
