/**
 * Unmounting of snapshots, also of those whose program is gone.
 *
 * @module
 */
import {
  needPosix,
  realPath,
  unmountError,
  unmountPath,
} from "./mount_point.ts";
import type { MountError } from "./mount_error.ts";
import {
  findMount,
  MOUNT_TYPE,
  readMountTable,
  upperOf,
} from "./mount_table.ts";
import type { Posix } from "@snap/posix";

/** Options of {@linkcode unmount}. */
export interface UnmountOptions {
  /**
   * Whether it goes out of sight also while it is in use; what is open stays so, and its program
   * ends with the last of it.
   */
  readonly lazy?: boolean;
}

/**
 * Unmounts a snapshot, or an overlay of one with it: what was written stays in the overlay's
 * folder. The program that serves it ends by that.
 *
 * @param mountpoint Where it is mounted.
 * @param options What to do while it is in use.
 * @throws {MountError} If no snapshot is mounted there (`NOT_MOUNTED`), or it is in use (`BUSY`).
 */
export async function unmount(
  mountpoint: string,
  options: UnmountOptions = {},
): Promise<void> {
  const posix = needPosix();
  const path = realPath(posix, mountpoint);
  const found = typeof path === "number"
    ? undefined
    : findMount(readMountTable(), path);
  const isLazy = options.lazy ?? false;
  const upper = found && upperOf(found);
  if (typeof path === "string" && upper !== undefined) {
    await unmountPath(posix, path, { isLazy, isApart: false });
    return await unmountBelow(posix, upper);
  }
  if (typeof path === "number" || found?.type !== MOUNT_TYPE) {
    throw unmountError(
      mountpoint,
      "NOT_MOUNTED",
      found === undefined
        ? "nothing is mounted there"
        : `a mount of type ${found.type} is there, not ${MOUNT_TYPE}`,
    );
  }
  await unmountPath(posix, path, { isLazy, isApart: false });
}

/**
 * Tells whether a snapshot is mounted that can be written to.
 *
 * @param mountpoint The path; symbolic links are followed.
 */
export function isWritable(mountpoint: string): boolean {
  const path = realPath(needPosix(), mountpoint);
  if (typeof path === "number") return false;
  const found = findMount(readMountTable(), path);
  return found !== undefined && upperOf(found) !== undefined;
}

/** Unmounts the snapshot below an overlay that is gone, or goes with the last file in use. */
async function unmountBelow(posix: Posix, upper: string): Promise<void> {
  const lower = upper.replace(/upper$/, "lower");
  try {
    await unmountPath(posix, lower, { isLazy: true, isApart: false });
  } catch (error) {
    // Its program is gone, and so is it.
    if ((error as MountError).code !== "NOT_MOUNTED") throw error;
  }
}
