import {
  O_CLOEXEC,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
} from "@snap/posix/constants";
import type { DiskCalls } from "./disk_calls.ts";

/** Files of the system above this size are not believed. */
const SIZE_MAX = 1 << 26;

/** A path or name as the calls want it: followed by NUL. */
export function terminated(name: string | Uint8Array): Uint8Array {
  const bytes = typeof name === "string"
    ? new TextEncoder().encode(name)
    : name;
  const out = new Uint8Array(bytes.length + 1);
  out.set(bytes);
  return out;
}

/** The content of a small file of the system; nothing when it cannot be read. */
export function readWholeFile(
  calls: DiskCalls,
  path: string,
): Uint8Array | undefined {
  const fd = calls.open(terminated(path), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return undefined;
  const bytes = readDescriptor(calls, fd, SIZE_MAX);
  calls.close(fd);
  return typeof bytes === "number" ? undefined : bytes;
}

/** The first bytes of a file in an open directory, no link followed; or a negative error number. */
export function readNamedFile(
  calls: DiskCalls,
  directory: number,
  name: Uint8Array,
  sizeMax: number,
): Uint8Array | number {
  const flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const fd = calls.openAt(directory, terminated(name), flags, 0);
  if (fd < 0) return fd;
  const bytes = readDescriptor(calls, fd, sizeMax);
  calls.close(fd);
  return bytes;
}

function readDescriptor(
  calls: DiskCalls,
  fd: number,
  sizeMax: number,
): Uint8Array | number {
  let bytes = new Uint8Array(Math.min(sizeMax, 1 << 14));
  let size = 0;
  while (size < sizeMax) {
    if (size === bytes.length) {
      const larger = new Uint8Array(Math.min(sizeMax, 2 * size));
      larger.set(bytes);
      bytes = larger;
    }
    const read = calls.read(fd, bytes.subarray(size));
    if (read < 0) return read;
    if (read === 0) break;
    size += read;
  }
  return bytes.subarray(0, size);
}
