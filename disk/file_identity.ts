import type { StatTable } from "@snap/posix/stat-table";

/** Device and inode: they name a file or directory on one machine, whatever its path. */
export interface FileIdentity {
  /** Major number of the device. */
  readonly major: number;
  /** Minor number of the device. */
  readonly minor: number;
  /** Lower 32 bits of the inode number. */
  readonly inodeLow: number;
  /** Upper 32 bits of the inode number. */
  readonly inodeHigh: number;
}

/** Names what a row is of. */
export function identityOf(stats: StatTable, row: number): FileIdentity {
  return {
    major: stats.deviceMajor(row),
    minor: stats.deviceMinor(row),
    inodeLow: stats.inodeLow(row),
    inodeHigh: stats.inodeHigh(row),
  };
}

/** Tells whether a row is of the file or directory that an identity names. */
export function isFile(
  stats: StatTable,
  row: number,
  identity: FileIdentity | undefined,
): boolean {
  return identity !== undefined &&
    stats.inodeLow(row) === identity.inodeLow &&
    stats.inodeHigh(row) === identity.inodeHigh &&
    stats.deviceMinor(row) === identity.minor &&
    stats.deviceMajor(row) === identity.major;
}
