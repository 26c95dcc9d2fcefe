import { PERMISSION_MASK, S_IFDIR, S_IFMT } from "@snap/posix/constants";
import type { StatTable } from "@snap/posix/stat-table";
import type { DiskCalls } from "../disk_calls.ts";
import { isMountPoint } from "./mount_points.ts";

/** Mode bits that an owner needs to list a directory and to change it. */
const OWNER_BITS = 0o700;

/**
 * Lets an ordinary user work in an own directory whose mode forbids it; root needs no mode. What
 * is mounted there stays as it is.
 *
 * @param name Its name and NUL.
 */
export function makeWritable(
  calls: DiskCalls,
  directory: number,
  name: Uint8Array,
  stats: StatTable,
): void {
  const mode = stats.mode(0);
  if ((mode & S_IFMT) !== S_IFDIR || (mode & OWNER_BITS) === OWNER_BITS) return;
  const euid = calls.geteuid();
  if (euid === 0 || stats.uid(0) !== euid) return;
  if (isMountPoint(calls, directory, name)) return;
  // Where this fails, so does what comes next, and says why.
  calls.fchmodAt(directory, name, (mode & PERMISSION_MASK) | OWNER_BITS);
}
