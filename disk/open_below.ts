import {
  ENOSYS,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "@snap/posix/constants";
import type { DiskCalls } from "./disk_calls.ts";
import { openUnmounted } from "./target/mount_points.ts";
import { terminated } from "./read_whole_file.ts";

const FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
const RESOLVE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
/** Below PATH_MAX; a longer path is opened part by part. */
const PATH_SIZE_MAX = 4000;
const SLASH = 0x2f;
const THIS_DIRECTORY: Uint8Array = terminated(".");

/**
 * Opens a directory below an open one, over any number of parts. No part may be a link, and the
 * way never leads out: by openat2(2), else part by part.
 *
 * @param path Parts joined by `/`; empty for the directory itself.
 * @param mounts Whether the way may lead into what is mounted below.
 * @returns The descriptor, or a negative error number.
 */
export function openBelow(
  calls: DiskCalls,
  directory: number,
  path: Uint8Array,
  mounts: "entered" | "refused",
): number {
  if (path.length === 0) {
    return calls.openAt(directory, THIS_DIRECTORY, FLAGS, 0);
  }
  if (path.length <= PATH_SIZE_MAX) {
    const resolve = mounts === "entered" ? RESOLVE : RESOLVE | RESOLVE_NO_XDEV;
    const fd = calls.openAt2(directory, terminated(path), FLAGS, 0, resolve);
    if (fd !== -ENOSYS) return fd;
  }
  return openParts(calls, directory, path, mounts);
}

/**
 * Creates a file below an open directory, over any number of parts, in one call of openat2(2). No
 * part may be a link, or something mounted.
 *
 * @param path Parts joined by `/`, and NUL.
 * @param how Flags and mode.
 * @returns The descriptor, or a negative error number; `-ENOSYS` where it cannot be done.
 */
export function createBelow(
  calls: DiskCalls,
  directory: number,
  path: Uint8Array,
  { flags, mode }: { readonly flags: number; readonly mode: number },
): number {
  if (path.length > PATH_SIZE_MAX) return -ENOSYS;
  const resolve = RESOLVE | RESOLVE_NO_XDEV;
  return calls.openAt2(directory, path, flags, mode, resolve);
}

function openParts(
  calls: DiskCalls,
  directory: number,
  path: Uint8Array,
  mounts: "entered" | "refused",
): number {
  let fd = directory;
  for (let start = 0; start <= path.length;) {
    let end = path.indexOf(SLASH, start);
    if (end < 0) end = path.length;
    const name = terminated(path.subarray(start, end));
    const next = mounts === "entered"
      ? calls.openAt(fd, name, FLAGS, 0)
      : openUnmounted(calls, fd, name, FLAGS);
    if (fd !== directory) calls.close(fd);
    if (next < 0) return next;
    fd = next;
    start = end + 1;
  }
  return fd;
}
