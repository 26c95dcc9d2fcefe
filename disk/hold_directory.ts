import {
  errnoName,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
} from "@snap/posix/constants";
import { joinPath } from "@snap/manifest/path";
import { diskCalls } from "./best_calls.ts";
import type { DiskCalls } from "./disk_calls.ts";
import { DiskError } from "./disk_error.ts";
import { openBelow } from "./open_below.ts";
import { terminated } from "./read_whole_file.ts";

const FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/** A directory that is held open. */
export interface HeldDirectory extends Disposable {
  /**
   * A path that leads to it as long as it is held, whatever its name comes to lead to. Without
   * native calls its name.
   */
  readonly path: Uint8Array;
}

/**
 * Opens a directory below another one, so that nothing leads out of that: no part of the way may
 * be a link, and the way is gone once only.
 *
 * @param root Where the way begins, a path of a directory that is no link.
 * @param path Parts joined by `/`; empty for the root.
 * @param calls The back end; the best there is if absent.
 * @returns The directory, until it is disposed of.
 * @throws {DiskError} If it is absent, or a part of the way is a link or no directory.
 */
export function holdDirectory(
  root: string | Uint8Array,
  path: Uint8Array,
  calls: DiskCalls = diskCalls(),
): HeldDirectory {
  const start = terminated(root);
  const whole = path.length === 0
    ? start.slice(0, -1)
    : joinPath(start.subarray(0, -1), path);
  const at = calls.open(start, FLAGS, 0);
  const fd = at < 0 ? at : openBelow(calls, at, path, "entered");
  if (at >= 0) calls.close(at);
  if (fd < 0) throw new DiskError("open directory", whole, errnoName(fd));
  return {
    path: calls.reduced
      ? whole
      : new TextEncoder().encode(`/proc/self/fd/${fd}`),
    [Symbol.dispose]: () => void calls.close(fd),
  };
}
