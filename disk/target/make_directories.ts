import { AT_FDCWD, EEXIST, errnoName } from "@snap/posix/constants";
import type { DiskCalls } from "../disk_calls.ts";
import { DiskError } from "../disk_error.ts";
import { terminated } from "../read_whole_file.ts";

const SLASH = 0x2f;

/** Makes a directory and those above it. Here links are followed: the path is the user's own. */
export function makeDirectories(
  calls: DiskCalls,
  path: Uint8Array,
  mode: number,
): void {
  let end = path.length;
  while (end > 1 && path[end - 1] === SLASH) end--;
  const whole = path.subarray(0, end);
  const code = make(calls, whole, mode);
  if (code === undefined) return;
  const parentEnd = whole.lastIndexOf(SLASH);
  if (code !== "ENOENT" || parentEnd <= 0) {
    throw new DiskError("make directory", whole, code);
  }
  makeParents(calls, whole, parentEnd);
  const again = make(calls, whole, mode);
  if (again !== undefined) throw new DiskError("make directory", whole, again);
}

function makeParents(
  calls: DiskCalls,
  path: Uint8Array,
  pathEnd: number,
): void {
  for (let end = path.indexOf(SLASH, 1); end > 0 && end <= pathEnd;) {
    const code = make(calls, path.subarray(0, end), 0o777);
    if (code !== undefined && code !== "EACCES" && code !== "EROFS") {
      throw new DiskError("make directory", path.subarray(0, end), code);
    }
    end = path.indexOf(SLASH, end + 1);
  }
}

function make(
  calls: DiskCalls,
  path: Uint8Array,
  mode: number,
): string | undefined {
  const result = calls.mkdirAt(AT_FDCWD, terminated(path), mode);
  return result >= 0 || result === -EEXIST ? undefined : errnoName(result);
}
