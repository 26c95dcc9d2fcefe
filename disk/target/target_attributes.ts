import {
  AT_SYMLINK_NOFOLLOW,
  errnoName,
  PERMISSION_MASK,
  S_IFLNK,
  S_IFMT,
  S_ISGID,
  S_ISUID,
} from "@snap/posix/constants";
import { pathToText } from "@snap/manifest/path";
import { StatTable } from "@snap/posix/stat-table";
import type { DiskCalls } from "../disk_calls.ts";
import { DiskError } from "../disk_error.ts";
import { type XattrProblem, Xattrs, type XattrValue } from "../xattrs.ts";

/** Attributes wanted of an entry of a target. Absent fields stay as they are. */
export interface TargetAttributes {
  /** The twelve permission bits. Not for symbolic links. */
  readonly mode?: number;
  /** Number of the owner on this machine. */
  readonly uid?: number;
  /** Number of the group on this machine. */
  readonly gid?: number;
  /** Seconds of the modification time, negative before 1970. */
  readonly mtimeSec?: number;
  /** Nanoseconds of the modification time. */
  readonly mtimeNs?: number;
  /** All extended attributes; others are removed. */
  readonly xattrs?: readonly XattrValue[];
}

/** The entry that attributes go to: open, or a name in an open directory. */
export interface AttributePlace {
  /** Descriptor of the entry, or of its directory if there is a name. */
  readonly fd: number;
  /** Name and NUL. */
  readonly name?: Uint8Array;
  /** Path for error messages. */
  readonly path: () => Uint8Array;
}

/** Attributes that an entry has now. */
export interface PresentAttributes {
  /** Its owner, in row 0. */
  readonly stats: StatTable;
  /** Its mode, with the bits of its type where it may be a link. */
  readonly mode: number;
  /** Whether it has extended attributes, where that is known. */
  readonly hasXattrs?: boolean;
}

const NO_PROBLEMS: readonly DiskError[] = [];

/** Sets attributes in the order that keeps them: owner, extended attributes, mode, times. */
export class AttributeSetter {
  readonly #calls: DiskCalls;
  readonly #xattrs: Xattrs;
  readonly #seen = new StatTable(1);
  #problems: DiskError[] | undefined;
  /** Whether the file system has been seen to keep modes: they are read back until then. */
  #keepsModes = false;
  #keepsSeconds = false;
  #keepsNs = false;
  #hasToldNs = false;

  /** Whether the file system has been seen to keep a mode. */
  get keepsModes(): boolean {
    return this.#keepsModes;
  }

  /** Prepares for a back end. */
  constructor(calls: DiskCalls) {
    this.#calls = calls;
    this.#xattrs = new Xattrs(calls);
  }

  /**
   * Sets attributes. A change of owner clears the set-id bits and capabilities, so it comes first;
   * a mode may forbid to write extended attributes, so it comes after them; anything may touch
   * the time, so it comes last. Where the owner cannot be set, the set-id bits are left out.
   *
   * @param wanted What it is to have.
   * @param present Owner and mode that it has now; nothing to set all that is wanted.
   * @returns What could not be done, or was done otherwise; nothing is fatal.
   */
  set(
    place: AttributePlace,
    wanted: TargetAttributes,
    present?: PresentAttributes,
  ): readonly DiskError[] {
    this.#problems = undefined;
    const isLink = present !== undefined && (present.mode & S_IFMT) === S_IFLNK;
    const owner = this.#setOwner(place, wanted, present?.stats);
    // Where there are none to remove, that saves a call a file.
    const isBare = wanted.xattrs?.length === 0 && present?.hasXattrs === false;
    const xattrs = isBare ? undefined : wanted.xattrs;
    if (xattrs !== undefined) this.#setXattrs(place, xattrs);
    if (wanted.mode !== undefined && !isLink) {
      const mask = owner === "failed"
        ? PERMISSION_MASK & ~(S_ISUID | S_ISGID)
        : PERMISSION_MASK;
      const mode = wanted.mode & mask;
      const isSame = owner === "kept" && xattrs === undefined &&
        present !== undefined && (present.mode & PERMISSION_MASK) === mode;
      if (!isSame) this.#setMode(place, mode);
    }
    if (wanted.mtimeSec !== undefined) {
      this.#setTime(place, wanted.mtimeSec, wanted.mtimeNs ?? 0);
    }
    return this.#problems ?? NO_PROBLEMS;
  }

  /**
   * Whether the extended attributes of an entry are those wanted. Where there are none at all
   * nothing can differ.
   *
   * @param wanted All of them.
   * @returns True if nothing needs to be set or removed.
   */
  hasXattrs(place: AttributePlace, wanted: readonly XattrValue[]): boolean {
    const { fd, name } = place;
    if (this.#calls.reduced === true) return true;
    return name === undefined
      ? this.#xattrs.has(fd, wanted)
      : this.#xattrs.hasAt(fd, name.subarray(0, name.indexOf(0)), wanted);
  }

  #setOwner(
    place: AttributePlace,
    wanted: TargetAttributes,
    present: StatTable | undefined,
  ): "kept" | "set" | "failed" {
    const { fd, name } = place;
    let uid = wanted.uid ?? -1;
    let gid = wanted.gid ?? -1;
    if (present !== undefined) {
      if (present.uid(0) === uid) uid = -1;
      if (present.gid(0) === gid) gid = -1;
    }
    if (uid === -1 && gid === -1) return "kept";
    const result = name === undefined
      ? this.#calls.fchown(fd, uid, gid)
      : this.#calls.fchownAt(fd, name, uid, gid, AT_SYMLINK_NOFOLLOW);
    if (result >= 0) return "set";
    this.#report("set owner of", place, errnoName(result));
    return "failed";
  }

  #setXattrs(place: AttributePlace, xattrs: readonly XattrValue[]): void {
    const { fd, name } = place;
    const problems: XattrProblem[] = name === undefined
      ? this.#xattrs.apply(fd, xattrs)
      : this.#xattrs.applyAt(fd, name.subarray(0, name.indexOf(0)), xattrs);
    for (const problem of problems) {
      this.#report(
        `set attribute ${pathToText(problem.name)} of`,
        place,
        problem.code,
      );
    }
  }

  #setMode(place: AttributePlace, mode: number): void {
    const { fd, name } = place;
    const result = name === undefined
      ? this.#calls.fchmod(fd, mode)
      : this.#calls.fchmodAt(fd, name, mode);
    if (result < 0) this.#report("set mode of", place, errnoName(result));
    else this.#checkMode(place, mode);
  }

  /** Reads a mode back: some file systems have none, and the set-group-id bit is not for everybody. */
  #checkMode(place: AttributePlace, mode: number): void {
    if (this.#keepsModes && (mode & S_ISGID) === 0) return;
    const seen = this.#seen;
    if (!this.#look(place)) return;
    if ((seen.mode(0) & PERMISSION_MASK) === mode) this.#keepsModes = true;
    else this.#report("set mode of", place, "EALTERED");
  }

  #setTime(place: AttributePlace, sec: number, ns: number): void {
    const { fd, name } = place;
    const result = name === undefined
      ? this.#calls.futimens(fd, sec, ns)
      : this.#calls.utimensAt(fd, name, sec, ns, AT_SYMLINK_NOFOLLOW);
    if (result < 0) this.#report("set time of", place, errnoName(result));
    else this.#checkTime(place, sec, ns);
  }

  /** A file system takes what it cannot keep, and keeps something else: FAT two seconds, others no year from 2038 on. */
  #checkTime(place: AttributePlace, sec: number, ns: number): void {
    const isUsual = sec >= 0 && sec < 2 ** 31 && this.#keepsSeconds &&
      (ns === 0 || this.#keepsNs);
    if (isUsual || !this.#look(place)) return;
    const seen = this.#seen;
    if (seen.mtimeSec(0) !== sec) {
      this.#report("set time of", place, "EALTERED");
    } else if (seen.mtimeNs(0) !== ns) {
      // That holds for all: told once.
      if (!this.#hasToldNs) this.#report("set time of", place, "ECOARSE");
      this.#hasToldNs = true;
    } else {
      if (ns !== 0) this.#keepsNs = true;
      if (ns !== 0 || sec % 2 !== 0) this.#keepsSeconds = true;
    }
  }

  /** Reads back what an entry has now; without native calls that would be no proof. */
  #look({ fd, name }: AttributePlace): boolean {
    if (this.#calls.reduced) return false;
    const result = name === undefined
      ? this.#calls.stat(fd, this.#seen, 0)
      : this.#calls.statAt(fd, name, AT_SYMLINK_NOFOLLOW, this.#seen, 0);
    return result >= 0;
  }

  #report(action: string, place: AttributePlace, code: string): void {
    (this.#problems ??= []).push(new DiskError(action, place.path(), code));
  }
}
