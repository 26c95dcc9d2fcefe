import { DiskError } from "@snap/disk";

/** Makes an error that of an entry, also where a directory that it needs is to blame. */
export function entryError(error: DiskError, path: Uint8Array): DiskError {
  const isOwn = path.length === error.path.length &&
    path.every((byte, i) => byte === error.path[i]);
  if (isOwn) return error;
  return new DiskError("restore", path, error.code, { cause: error });
}
