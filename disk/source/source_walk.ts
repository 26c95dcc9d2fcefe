import { TARGET_SIZE_MAX } from "@snap/manifest/extras";
import { StatTable } from "@snap/posix/stat-table";
import { errnoName } from "@snap/posix/constants";
import type { DiskCalls } from "../disk_calls.ts";
import { type DiskError, sourceError } from "../disk_error.ts";
import type { IgnoreRules } from "../ignore/ignore_rules.ts";
import { Listing } from "../listing.ts";
import { SnapMounts } from "../snap_mounts.ts";
import type { FileIdentity } from "../file_identity.ts";
import { Xattrs } from "../xattrs.ts";

/** Entries that a walk left out on purpose. */
export interface SourceDrops {
  /** Sockets. */
  sockets: number;
  /** Entries that a rule ignores. */
  ignored: number;
  /** Directories that are the store itself. */
  stores: number;
  /** Directories not entered as another file system is mounted there. */
  mounts: number;
}

/**
 * Told of a directory that is about to be listed.
 *
 * @param path Its path below the source; empty for the source.
 * @param fd The directory, open; the caller closes it.
 * @param self What it is, in row 0.
 */
export type OnDirectory = (
  path: Uint8Array,
  fd: number,
  self: StatTable,
) => void;

export interface WalkSettings {
  readonly calls: DiskCalls;
  readonly path: Uint8Array;
  readonly ignore: IgnoreRules;
  readonly oneFileSystem: boolean;
  readonly excludeStore: FileIdentity | undefined;
  readonly onSocket: ((path: Uint8Array) => void) | undefined;
  readonly onDirectory: OnDirectory | undefined;
}

/** Errors that are kept as objects; later ones are counted only. */
const ERRORS_KEPT_MAX = 10_000;

/** State shared by all directories of one walk: settings, counters and buffers that are used again. */
export class SourceWalk {
  readonly calls: DiskCalls;
  readonly path: Uint8Array;
  readonly ignore: IgnoreRules;
  readonly oneFileSystem: boolean;
  readonly excludeStore: FileIdentity | undefined;
  readonly onSocket: ((path: Uint8Array) => void) | undefined;
  readonly onDirectory: OnDirectory | undefined;
  readonly drops: SourceDrops = {
    sockets: 0,
    ignored: 0,
    stores: 0,
    mounts: 0,
  };
  readonly errors: DiskError[] = [];
  errorCount = 0;
  readonly listing: Listing = new Listing();
  /** Stats of the directory that is listed in steps. */
  window: StatTable | undefined;
  /** Where targets of links are read into. */
  readonly target: Uint8Array = new Uint8Array(TARGET_SIZE_MAX + 1);
  readonly xattrs: Xattrs;
  readonly mounts: SnapMounts;
  /** Row 0 is the root. */
  readonly root: StatTable = new StatTable(1);
  readonly #name: Uint8Array = new Uint8Array(1 << 12);
  readonly #open: Set<number> = new Set();

  constructor(settings: WalkSettings) {
    this.calls = settings.calls;
    this.path = settings.path;
    this.ignore = settings.ignore;
    this.oneFileSystem = settings.oneFileSystem;
    this.excludeStore = settings.excludeStore;
    this.onSocket = settings.onSocket;
    this.onDirectory = settings.onDirectory;
    this.xattrs = new Xattrs(settings.calls);
    this.mounts = new SnapMounts(settings.calls);
  }

  /** A name followed by NUL, in a buffer that the next call overwrites. */
  nameAt(names: Uint8Array, start: number, end: number): Uint8Array {
    const name = this.#name;
    let at = 0;
    for (let i = start; i < end; i++) name[at++] = names[i];
    name[at] = 0;
    return name;
  }

  /** Notes what could not be read. */
  fail(action: string, path: Uint8Array, errno: number): DiskError {
    return this.failWith(action, path, errnoName(-errno));
  }

  /** Notes what could not be read, by the name of the error. */
  failWith(action: string, path: Uint8Array, code: string): DiskError {
    const error = sourceError(action, path, code);
    this.errorCount++;
    if (this.errors.length < ERRORS_KEPT_MAX) this.errors.push(error);
    return error;
  }

  /** Remembers a descriptor, so that `closeAll` closes what its user forgot. */
  opened(fd: number): number {
    this.#open.add(fd);
    return fd;
  }

  close(fd: number): void {
    if (this.#open.delete(fd)) this.calls.close(fd);
  }

  closeAll(): void {
    for (const fd of this.#open) this.calls.close(fd);
    this.#open.clear();
  }
}
