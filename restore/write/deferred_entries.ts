import { type DiskCalls, DiskError } from "@snap/disk";
import type { Target, TargetDirectory } from "@snap/disk/target";
import { EntryKind } from "@snap/manifest/extras";
import { joinPath } from "@snap/manifest/path";
import {
  AT_FDCWD,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
} from "@snap/posix/constants";
import { runAtOnce } from "@snap/posix/pacer";
import { StatTable } from "@snap/posix/stat-table";
import type { EntryPlace, LinkGroup } from "../plan/link_groups.ts";
import type { FileExtras } from "../messages.ts";
import {
  hasNumbers,
  TIME_UNIT_NS,
  toAttributes,
  type WantedNumbers,
} from "./wanted_attributes.ts";

/** An entry that is made when the files are there. */
export interface DeferredEntry extends EntryPlace {
  /** An `EntryKind`. */
  readonly kind: number;
  /** Plain bytes, of one more name of a file. */
  readonly size: number;
  /** Whether something stands there. */
  readonly isPresent: boolean;
  /** Whether that is what another entry has already, of which this is no further name. */
  readonly isApart: boolean;
  readonly numbers: WantedNumbers;
  /** All extended attributes; absent if it keeps those it has. */
  readonly xattrs?: FileExtras["xattrs"] | undefined;
  /** Where a symbolic link points. */
  readonly to?: Uint8Array;
  readonly device?: { readonly major: number; readonly minor: number };
  /** The name of which this is one more. */
  readonly group?: LinkGroup;
}

/** Outcome of making an entry. */
export type EntryOutcome = "unchanged" | "attributes" | "added" | "replaced";

const FILE_TYPES: ReadonlyMap<number, number> = new Map([
  [EntryKind.symlink, S_IFLNK],
  [EntryKind.fifo, S_IFIFO],
  [EntryKind.characterDevice, S_IFCHR],
  [EntryKind.blockDevice, S_IFBLK],
]);

/** Parts of {@linkcode EntryMaker}. */
export interface EntryMakerOptions {
  readonly target: Target | undefined;
  readonly targetPath: Uint8Array;
  readonly calls: DiskCalls;
  readonly isDry: boolean;
  /** Whether directories that are not empty may be removed. */
  readonly delete: boolean;
  /** Told of an attribute that could not be set. */
  readonly onMissing: (error: DiskError) => void;
}

/** Makes links, fifos and devices, and clears the way for entries. */
export class EntryMaker {
  readonly #options: EntryMakerOptions;
  readonly #stats = new StatTable(2);
  readonly #link = new Uint8Array(4097);

  constructor(options: EntryMakerOptions) {
    this.#options = options;
  }

  /**
   * Makes one entry, or leaves what stands there if it is the same.
   *
   * @throws {DiskError} If it cannot be made.
   */
  make(entry: DeferredEntry): EntryOutcome {
    const { isDry } = this.#options;
    const outcome = entry.isPresent ? this.#compare(entry) : "added";
    if (outcome === "unchanged" || isDry) return outcome;
    const target = this.#options.target!;
    const directory = target.directoryAt(entry.directory);
    if (outcome === "attributes") {
      this.#setAttributes(target, directory, entry, entry.name);
      return outcome;
    }
    if (outcome === "added") {
      this.#create(target, directory, entry, entry.name);
      return outcome;
    }
    this.check(directory, entry.name);
    target.replace(directory, entry.name, {
      make: (name) => this.#create(target, directory, entry, name),
      clear: () => this.#clearDirectory(directory, entry.name),
    });
    return outcome;
  }

  /**
   * Looks whether what stands in the way of an entry may go. A directory that is not empty goes
   * only where things may be deleted.
   *
   * @returns Whether a directory stands there.
   * @throws {DiskError} If it may not be removed.
   */
  check(directory: TargetDirectory, name: Uint8Array): boolean {
    const target = this.#options.target!;
    if (!target.stat(directory, name, this.#stats, 0)) return false;
    if ((this.#stats.mode(0) & S_IFMT) !== S_IFDIR) return false;
    if (this.#options.delete) return true;
    const entries = target.list(target.directory(directory, name));
    if (runAtOnce(entries).count === 0) return true;
    const path = joinPath(directory.path, name);
    throw new DiskError("replace directory", path, "ENOTEMPTY");
  }

  /**
   * Removes what stands in the way of an entry.
   *
   * @throws {DiskError} If it cannot be removed, or may not.
   */
  clear(directory: TargetDirectory, name: Uint8Array): void {
    this.check(directory, name);
    this.#options.target!.removeTree(directory, name);
  }

  /** Anything but a directory stays: it is renamed over. */
  #clearDirectory(directory: TargetDirectory, name: Uint8Array): void {
    if (!this.check(directory, name)) return;
    this.#options.target!.removeTree(directory, name);
  }

  /** Makes an entry, complete, under its own name or another; errors are of its own. */
  #create(
    target: Target,
    directory: TargetDirectory,
    entry: DeferredEntry,
    name: Uint8Array,
  ): void {
    const place = entry.group?.place;
    const home = place && target.directoryAt(place.directory);
    try {
      if (home !== undefined) {
        const existing = { directory: home, name: place!.name };
        return target.hardLink(directory, name, existing);
      }
      this.#createFirst(target, directory, entry, name);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      throw new DiskError(error.action, pathOf(entry), error.code);
    }
    this.#setAttributes(target, directory, entry, name);
  }

  #createFirst(
    target: Target,
    directory: TargetDirectory,
    { kind, to, device }: DeferredEntry,
    name: Uint8Array,
  ): void {
    if (kind === EntryKind.symlink) target.symlink(directory, name, to!);
    else if (kind === EntryKind.fifo) target.fifo(directory, name);
    else {
      const type = kind === EntryKind.blockDevice ? "block" : "character";
      target.device(directory, name, type, device!);
    }
  }

  #setAttributes(
    target: Target,
    directory: TargetDirectory,
    entry: DeferredEntry,
    name: Uint8Array,
  ): void {
    const { numbers, xattrs } = entry;
    const wanted = toAttributes(numbers, xattrs);
    for (
      const { action, code } of target.setAttributes(directory, name, wanted)
    ) {
      this.#options.onMissing(new DiskError(action, pathOf(entry), code));
    }
  }

  /** Compares what stands there now with what is wanted. */
  #compare(entry: DeferredEntry): EntryOutcome {
    const { target } = this.#options;
    const stats = this.#stats;
    const directory = target!.directoryAt(entry.directory);
    if (!target!.stat(directory, entry.name, stats, 0)) return "added";
    if (entry.group !== undefined) {
      const { isNew, place } = entry.group;
      // In a dry run the name that it will be linked to is not there yet.
      if (isNew && this.#options.isDry) return "replaced";
      const home = target!.directoryAt(place.directory);
      const isSame = target!.stat(home, place.name, stats, 1) &&
        stats.sameFile(0, stats, 1);
      return isSame ? "unchanged" : "replaced";
    }
    const isSameType =
      (stats.mode(0) & S_IFMT) === FILE_TYPES.get(entry.kind) &&
      (entry.device === undefined ||
        (stats.rdevMajor(0) === entry.device.major &&
          stats.rdevMinor(0) === entry.device.minor)) &&
      (entry.to === undefined || this.#pointsTo(entry, entry.to));
    if (!isSameType || entry.isApart) return "replaced";
    const { name, numbers, xattrs } = entry;
    const unitNs = TIME_UNIT_NS[target!.fidelity];
    const isSame = hasNumbers(numbers, stats, 0, unitNs) &&
      (xattrs === undefined || target!.hasXattrs(directory, name, xattrs));
    if (isSame) return "unchanged";
    return stats.nlink(0) > 1 ? "replaced" : "attributes";
  }

  /** Reads a link by its path: that is good enough to compare, nothing is written. */
  #pointsTo(entry: EntryPlace, to: Uint8Array): boolean {
    const { calls, targetPath } = this.#options;
    const path = joinPath(
      targetPath,
      joinPath(joinPath(entry.directory, entry.name), new Uint8Array(1))
        .subarray(0, -1),
    );
    path[path.length - 1] = 0;
    const size = calls.readlinkAt(AT_FDCWD, path, this.#link);
    return size === to.length && to.every((byte, i) => byte === this.#link[i]);
  }
}

function pathOf({ directory, name }: EntryPlace): Uint8Array {
  return joinPath(directory, name);
}
