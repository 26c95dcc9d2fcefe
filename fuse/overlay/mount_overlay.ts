import type { Posix } from "@snap/posix";
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  EACCES,
  EINVAL,
  ENODEV,
  ENOTSUP,
  EPERM,
  errnoMessage,
  MS_NODEV,
  MS_NOSUID,
} from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import { MountError } from "../mount/mount_error.ts";
import { checkMountPoint, needPosix } from "../mount/mount_point.ts";
import { OVERLAY_TYPE, readMountTable, upperOf } from "../mount/mount_table.ts";
import { readSystemFile } from "../mount/read_system_file.ts";
import type { OverlayFolder } from "./overlay_folder.ts";

/** The data of mount(2) is one page. */
const DATA_SIZE_MAX = 4095;
/** What is left where no overlay can be mounted. */
const HINT =
  "restore makes a directory that can be written to, and save makes a snapshot of it";

/**
 * Whether user ids here are those of the machine: only then attributes of the
 * `trusted.` namespace can be set.
 */
function isInitialNamespace(): boolean {
  const map = new TextDecoder().decode(readSystemFile("/proc/self/uid_map"));
  return /^\s*0\s+0\s+4294967295\s*$/.test(map);
}

/**
 * Mounts a directory that shows a snapshot and takes what is written to it. What
 * lies in the upper directory says all by itself: names are neither redirected,
 * nor is a file there without its content, nor does an index join hard links.
 *
 * @param folder Where what is written goes; the snapshot is mounted on its `lower`.
 * @param mountpoint The absolute path of an existing directory.
 * @param source What the system shows, such as `snap:0123456789ab`.
 * @returns The absolute path, without links, that it is mounted on.
 * @throws {MountError} If the kernel does not let this user, or this file system does not do for it.
 */
export async function mountOverlay(
  folder: OverlayFolder,
  mountpoint: string,
  source: string,
): Promise<string> {
  const posix = needPosix();
  const { path } = await checkMountPoint(posix, mountpoint);
  if (readMountTable().some((one) => upperOf(one) === folder.upper)) {
    throw new MountError(
      "MOUNTED",
      `Cannot mount on ${path}: ${folder.path} belongs to another mount`,
      { hint: "unmount that one first" },
    );
  }
  const isInitial = isInitialNamespace();
  checkAttributes(posix, folder, isInitial ? "trusted" : "user");
  copyAttributes(posix, folder.lower, folder.upper);
  const data = [
    `lowerdir=${escaped(folder.lower)}`,
    `upperdir=${escaped(folder.upper)}`,
    `workdir=${escaped(folder.work)}`,
    "index=off",
    ...isInitial ? ["redirect_dir=off", "metacopy=off"] : ["userxattr"],
  ].join(",");
  const result = new TextEncoder().encode(data).length > DATA_SIZE_MAX
    ? -EINVAL
    : posix.mount(
      bytesOf(source),
      bytesOf(path),
      bytesOf(OVERLAY_TYPE),
      MS_NOSUID | MS_NODEV,
      bytesOf(data),
    );
  if (result !== 0) throw overlayError(path, folder, result);
  return path;
}

/** Sees that marks of an overlay can be set on directories of this file system. */
function checkAttributes(
  posix: Posix,
  folder: OverlayFolder,
  space: "trusted" | "user",
): void {
  const path = bytesOf(folder.work), name = bytesOf(`${space}.overlay.origin`);
  const result = posix.lsetxattr(path, name, new Uint8Array(1));
  if (result === 0) posix.lremovexattr(path, name);
  if (result === 0) return;
  if (result === -ENOTSUP) throw overlayError(folder.path, folder, -EINVAL);
  throw overlayError(folder.path, folder, result);
}

/** The root of an overlay has the attributes of the upper directory. */
function copyAttributes(posix: Posix, from: string, to: string): void {
  const table = new StatTable(1);
  if (posix.statAt(AT_FDCWD, bytesOf(from), 0, table, 0) < 0) return;
  const path = bytesOf(to);
  // An ordinary user cannot give it away: it stays the user's own.
  posix.fchownAt(
    AT_FDCWD,
    path,
    table.uid(0),
    table.gid(0),
    AT_SYMLINK_NOFOLLOW,
  );
  posix.fchmodAt(AT_FDCWD, path, table.mode(0) & 0o7777);
  posix.utimensAt(AT_FDCWD, path, table.mtimeSec(0), table.mtimeNs(0), 0);
}

function overlayError(
  path: string,
  folder: OverlayFolder,
  result: number,
): MountError {
  if (result === -EPERM || result === -EACCES) {
    return new MountError(
      "NO_PERMISSION",
      `Cannot mount writable on ${path}: this user may not mount overlays`,
      { hint: `root may, and so may exec --save in a namespace; ${HINT}` },
    );
  }
  if (result === -ENODEV) {
    return new MountError(
      "NO_DEVICE",
      `Cannot mount writable on ${path}: this kernel has no overlays`,
      { hint: `load the module by: modprobe overlay; or ${HINT}` },
    );
  }
  if (result === -EINVAL) {
    return new MountError(
      "FAILED",
      `Cannot mount writable on ${path}: the file system of ${folder.path} cannot keep what is written`,
      { hint: `another place does, such as a folder on ext4 or xfs; ${HINT}` },
    );
  }
  return new MountError(
    "FAILED",
    `Cannot mount writable on ${path}: ${errnoMessage(result)}`,
    { hint: HINT },
  );
}

function escaped(path: string): string {
  return path.replace(/[\\,:]/g, "\\$&");
}

function bytesOf(path: string): Uint8Array {
  return new TextEncoder().encode(`${path}\0`);
}
