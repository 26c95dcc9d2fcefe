import {
  DirectoryEntries,
  type Posix,
  posix,
  posixAbsentReason,
} from "@snap/posix";
import {
  AT_FDCWD,
  EACCES,
  EINVAL,
  ENODEV,
  ENOENT,
  ENOTCONN,
  ENOTDIR,
  ENXIO,
  EPERM,
  errnoMessage,
  F_GETFL,
  F_SETFL,
  MNT_DETACH,
  MS_NODEV,
  MS_NOSUID,
  MS_RDONLY,
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
} from "@snap/posix/constants";
import { MountError } from "./mount_error.ts";
import { findMount, MOUNT_TYPE, readMountTable } from "./mount_table.ts";

const DEVICE = "/dev/fuse";

/** A directory that something can be mounted on. */
export interface MountPoint {
  /** Its absolute path, without links. */
  readonly path: string;
  /** Whether entries are hidden as long as something is mounted on it. */
  readonly hidesEntries: boolean;
}

export interface MountRequest {
  /** The absolute path of a directory. */
  readonly path: string;
  /** The source that the system shows. */
  readonly source: string;
  /** Whether other users may look, with the rights that the snapshot has recorded. */
  readonly allowOther: boolean;
}

/**
 * The calls.
 *
 * @throws {MountError} If this runtime has none.
 */
export function needPosix(): Posix {
  if (posix !== undefined) return posix;
  throw new MountError(
    "NO_POSIX",
    `Cannot mount without native calls: ${posixAbsentReason}`,
    { hint: "run it on Linux, with --allow-ffi or with koffi installed" },
  );
}

/**
 * Finds out where a path leads, also where a mount is whose program is gone.
 *
 * @returns Its absolute path without links, or a negative error number.
 */
export function realPath(posix: Posix, path: string): string | number {
  const fd = posix.open(bytesOf(path), O_PATH | O_DIRECTORY, 0);
  if (fd < 0) return fd;
  const out = new Uint8Array(4096);
  const link = bytesOf(`/proc/self/fd/${fd}`);
  const size = posix.readlinkAt(AT_FDCWD, link, out);
  posix.close(fd);
  return size < 0 ? size : new TextDecoder().decode(out.subarray(0, size));
}

/**
 * Checks a directory before it is mounted on. A mount of `snap` whose program is gone is cleared
 * away.
 *
 * @throws {MountError} If nothing can be mounted there.
 */
export async function checkMountPoint(
  posix: Posix,
  path: string,
  storePrefix?: string,
): Promise<MountPoint> {
  const real = realPath(posix, path);
  if (typeof real === "number") throw pathError(path, real);
  if (storePrefix !== undefined) checkStoreApart(posix, real, storePrefix);
  const there = () => findMount(readMountTable(), real);
  let found = there();
  if (posix.fsTypeOf(bytesOf(real)) === -ENOTCONN) {
    if (found?.type !== MOUNT_TYPE) {
      throw new MountError(
        "STALE",
        `Cannot mount on ${real}: a dead mount of type ${found?.type} is in the way`,
        { hint: `clear it by: fusermount3 -u ${real}, or as root: umount -l` },
      );
    }
    await unmountPath(posix, real, { isLazy: true, isApart: false });
    found = there();
  }
  if (found !== undefined) {
    throw new MountError(
      "MOUNTED",
      `Cannot mount on ${real}: ${found.source} (${found.type}) is mounted there`,
      { hint: "choose another directory, or unmount it first" },
    );
  }
  return { path: real, hidesEntries: hasEntries(posix, real) };
}

/**
 * Checks that a store can still be read when something is mounted on a path: a server that reads
 * from its own mount waits for itself, for ever.
 */
function checkStoreApart(
  posix: Posix,
  path: string,
  prefix: string,
): void {
  const folder = realPath(posix, prefix);
  if (typeof folder === "number") return; // Reading it will say why.
  const [inner, outer] = [`${folder}/`, `${path}/`];
  if (!inner.startsWith(outer) && !outer.startsWith(inner)) return;
  throw new MountError(
    "HIDES_STORE",
    `Cannot mount on ${path}: the store in ${folder} would be hidden, or hold the mount`,
    { hint: "choose another directory" },
  );
}

/** A path for a call. */
function bytesOf(path: string): Uint8Array {
  return new TextEncoder().encode(`${path}\0`);
}

function pathError(path: string, result: number): MountError {
  if (result === -ENOENT || result === -ENOTDIR) {
    const isAbsent = result === -ENOENT;
    const what = isAbsent ? "no such directory" : "not a directory";
    return new MountError(
      "NO_DIRECTORY",
      `Cannot mount on ${path}: ${what}`,
      {
        hint: isAbsent ? `make it by: mkdir -p ${path}` : "choose a directory",
      },
    );
  }
  return new MountError(
    result === -EACCES ? "NO_PERMISSION" : "FAILED",
    `Cannot mount on ${path}: ${errnoMessage(result)}`,
    { hint: "choose another directory" },
  );
}

function hasEntries(posix: Posix, path: string): boolean {
  const fd = posix.open(bytesOf(path), O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return false;
  const count = posix.directoryEntries(fd, new DirectoryEntries());
  posix.close(fd);
  return count > 0;
}

/**
 * Mounts: by mount(2) where this program may, else by the helper that is installed for users.
 *
 * @returns The descriptor of the device, non-blocking.
 * @throws {MountError} If it cannot be mounted; the hint says what to do.
 */
export async function openMount(
  posix: Posix,
  request: MountRequest,
): Promise<number> {
  const device = posix.open(bytesOf(DEVICE), O_RDWR | O_NONBLOCK, 0);
  if (device < 0) throw deviceError(device);
  const result = mountDirectly(posix, device, request);
  if (result === 0) return device;
  posix.close(device);
  if (result !== -EPERM) throw mountError(request.path, result);
  const { mountByFusermount } = await import("./fusermount.ts");
  const given = await mountByFusermount(posix, request);
  const flags = posix.fcntl(given, F_GETFL, 0);
  posix.fcntl(given, F_SETFL, flags | O_NONBLOCK);
  return given;
}

function mountDirectly(
  posix: Posix,
  device: number,
  request: MountRequest,
): number {
  const { path, source, allowOther } = request;
  const options = [
    `fd=${device}`,
    // Octal; a directory, whatever its rights are.
    "rootmode=40000",
    `user_id=${posix.geteuid()}`,
    `group_id=${posix.getegid()}`,
    ...allowOther ? ["allow_other", "default_permissions"] : [],
  ];
  return posix.mount(
    bytesOf(source),
    bytesOf(path),
    bytesOf(MOUNT_TYPE),
    MS_RDONLY | MS_NOSUID | MS_NODEV,
    bytesOf(options.join(",")),
  );
}

function deviceError(result: number): MountError {
  if ([-ENOENT, -ENODEV, -ENXIO].includes(result)) {
    return new MountError(
      "NO_DEVICE",
      `Cannot mount without ${DEVICE}: ${errnoMessage(result)}`,
      {
        hint:
          "load the module by: modprobe fuse; a container is given it by: --device /dev/fuse --cap-add SYS_ADMIN",
      },
    );
  }
  const isDenied = result === -EACCES || result === -EPERM;
  return new MountError(
    isDenied ? "NO_PERMISSION" : "FAILED",
    `Cannot mount: ${DEVICE} does not open: ${errnoMessage(result)}`,
    { hint: `as root, let users open it by: chmod 666 ${DEVICE}` },
  );
}

function mountError(path: string, result: number): MountError {
  const isUnknown = result === -ENODEV;
  return new MountError(
    isUnknown ? "NO_DEVICE" : "FAILED",
    `Cannot mount on ${path}: ${errnoMessage(result)}`,
    {
      hint: isUnknown
        ? "load the module by: modprobe fuse"
        : "see what the kernel says by: dmesg",
    },
  );
}

export interface UnmountRequest {
  /** Whether it goes out of sight also while it is in use. */
  readonly isLazy: boolean;
  /** Whether another program does it, so that this thread does not wait for it. */
  readonly isApart: boolean;
}

/**
 * Unmounts: by umount2(2) where this program may, else by the helper.
 *
 * @param path An absolute path without links.
 * @throws {MountError} If it cannot be unmounted; code `BUSY` if it is in use.
 */
export async function unmountPath(
  posix: Posix,
  path: string,
  request: UnmountRequest,
): Promise<void> {
  const { isLazy, isApart } = request;
  const result = isApart
    ? -EPERM
    : posix.umount2(bytesOf(path), isLazy ? MNT_DETACH : 0);
  if (result === 0) return;
  if (result === -EPERM) {
    const { unmountByProgram } = await import("./fusermount.ts");
    return await unmountByProgram(path, isLazy);
  }
  if (result !== -EINVAL) {
    throw unmountError(path, "BUSY", errnoMessage(result));
  }
  const reason = "it is not mounted, or another mount covers it";
  throw unmountError(path, "NOT_MOUNTED", reason);
}

/** The error of a mount that cannot be unmounted. */
export function unmountError(
  path: string,
  code: "NOT_MOUNTED" | "BUSY" | "FAILED" | "NO_FUSERMOUNT",
  reason: string,
): MountError {
  return new MountError(code, `Cannot unmount ${path}: ${reason}`, {
    hint: code === "BUSY"
      ? "end the programs that use it, or unmount it lazily"
      : "see what is mounted by: findmnt -t fuse.snap",
  });
}
