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
import { findMount, MOUNT_TYPE, readMountTable } from "./mount_table.ts";

/** Options of {@linkcode unmount}. */
export interface UnmountOptions {
  /**
   * Whether it goes out of sight also while it is in use; what is open stays so, and its program
   * ends with the last of it.
   */
  readonly lazy?: boolean;
}

/**
 * Unmounts a snapshot. The program that serves it ends by that.
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
  if (typeof path === "number" || found?.type !== MOUNT_TYPE) {
    throw unmountError(
      mountpoint,
      "NOT_MOUNTED",
      found === undefined
        ? "nothing is mounted there"
        : `a mount of type ${found.type} is there, not ${MOUNT_TYPE}`,
    );
  }
  const isLazy = options.lazy ?? false;
  await unmountPath(posix, path, { isLazy, isApart: false });
}
