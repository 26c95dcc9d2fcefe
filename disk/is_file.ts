import type { StatTable } from "@snap/posix/stat-table";
import type { FileIdentity } from "./source/source.ts";

/** Whether a row is of the file or directory that an identity names. */
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
