import type { StatTable } from "@snap/posix/stat-table";

export { isTemporaryName } from "./temporary_names.ts";

/** A device number. */
export interface DeviceNumber {
  /** Major number. */
  readonly major: number;
  /** Minor number. */
  readonly minor: number;
}

/** Entries of a directory of a target: rows in ascending byte order of names. */
export interface TargetEntries {
  /** Number of rows. */
  readonly count: number;
  /** Names, one after the other. */
  readonly names: Uint8Array;
  /** Where each name ends within the names. */
  readonly ends: Uint32Array;
  /** Stat of each entry; all zeros where that cannot be told. May have more rows than `count`. */
  readonly stats: StatTable;
}
