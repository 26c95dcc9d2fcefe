import type { TargetAttributes } from "@snap/disk/target";
import type { StatTable } from "@snap/posix/stat-table";
import { type FileExtras, KEEP, type RestoreBatch } from "../messages.ts";

/** Numbers that an entry is to have; `KEEP` leaves one as it is. */
export interface WantedNumbers {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSec: number;
  /** `KEEP` leaves all of the time. */
  readonly mtimeNs: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Turns the attributes of a row into those of a target.
 *
 * @param xattrs Extended attributes; absent leaves them as they are.
 */
export function toAttributes(
  numbers: WantedNumbers,
  xattrs: FileExtras["xattrs"],
): TargetAttributes {
  const { mode, uid, gid, mtimeSec, mtimeNs } = numbers;
  const wanted: Mutable<TargetAttributes> = {};
  if (mode !== KEEP) wanted.mode = mode;
  if (uid !== KEEP) wanted.uid = uid;
  if (gid !== KEEP) wanted.gid = gid;
  if (mtimeNs !== KEEP) {
    wanted.mtimeSec = mtimeSec;
    wanted.mtimeNs = mtimeNs;
  }
  if (xattrs !== undefined) wanted.xattrs = xattrs;
  return wanted;
}

/**
 * The extended attributes that an entry is to have.
 *
 * @returns All of them; nothing if it keeps those it has.
 */
export function wantedXattrs(
  extras: FileExtras | undefined,
): FileExtras["xattrs"] {
  return extras === undefined ? NO_XATTRS : extras.xattrs;
}

const NO_XATTRS: FileExtras["xattrs"] = [];

/** The numbers of a file of a batch. */
export function numbersOf(batch: RestoreBatch, row: number): WantedNumbers {
  return {
    mode: batch.modes[row],
    uid: batch.uids[row],
    gid: batch.gids[row],
    mtimeSec: batch.mtimeSecs[row],
    mtimeNs: batch.mtimeNs[row],
  };
}

/**
 * Whether an entry has the numbers that it is to have.
 *
 * @returns True if nothing needs to be set.
 */
export function hasNumbers(
  numbers: WantedNumbers,
  stats: StatTable,
  row: number,
  unitNs: number,
): boolean {
  const { mode, uid, gid, mtimeSec, mtimeNs } = numbers;
  return (mode === KEEP || (stats.mode(row) & 0o7777) === mode) &&
    (uid === KEEP || stats.uid(row) === uid) &&
    (gid === KEEP || stats.gid(row) === gid) &&
    (mtimeNs === KEEP ||
      (stats.mtimeSec(row) === mtimeSec &&
        stats.mtimeNs(row) - stats.mtimeNs(row) % unitNs ===
          mtimeNs - mtimeNs % unitNs));
}

/** Unit to which times are rounded down, at full and at reduced fidelity. */
export const TIME_UNIT_NS = { full: 1, reduced: 1_000_000 } as const;
