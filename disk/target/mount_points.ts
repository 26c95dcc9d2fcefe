import {
  AT_SYMLINK_NOFOLLOW,
  ENOSYS,
  EXDEV,
  O_NOFOLLOW,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import type { DiskCalls } from "../disk_calls.ts";

const RESOLVE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
  RESOLVE_NO_XDEV;

/**
 * Opens an entry of a directory, unless something is mounted on it: also a part of the same file
 * system. Where openat2(2) is absent, only another file system is seen.
 *
 * @param name Its name and NUL.
 * @returns The descriptor, or a negative error number: `-EXDEV` for a mount.
 */
export function openUnmounted(
  calls: DiskCalls,
  directory: number,
  name: Uint8Array,
  flags: number,
): number {
  const fd = calls.openAt2(directory, name, flags, 0, RESOLVE);
  if (fd !== -ENOSYS) return fd;
  if (liesOnOtherDevice(calls, directory, name)) return -EXDEV;
  return calls.openAt(directory, name, flags, 0);
}

/** Whether something is mounted on an entry of a directory: see {@linkcode openUnmounted}. */
export function isMountPoint(
  calls: DiskCalls,
  directory: number,
  name: Uint8Array,
): boolean {
  const flags = O_PATH | O_NOFOLLOW;
  const fd = calls.openAt2(directory, name, flags, 0, RESOLVE);
  if (fd === -ENOSYS) return liesOnOtherDevice(calls, directory, name);
  if (fd >= 0) calls.close(fd);
  return fd === -EXDEV;
}

function liesOnOtherDevice(
  calls: DiskCalls,
  directory: number,
  name: Uint8Array,
): boolean {
  const stats = new StatTable(2);
  if (calls.stat(directory, stats, 0) < 0) return false;
  if (calls.statAt(directory, name, AT_SYMLINK_NOFOLLOW, stats, 1) < 0) {
    return false;
  }
  return stats.deviceMajor(0) !== stats.deviceMajor(1) ||
    stats.deviceMinor(0) !== stats.deviceMinor(1);
}
