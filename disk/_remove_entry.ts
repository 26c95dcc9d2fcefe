import { ENOENT, errnoName } from "@snap/posix/errors";
import {
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
} from "@snap/posix/flags";
import { S_IFDIR, S_IFMT } from "@snap/posix/mode";
import { StatTable } from "@snap/posix/stat-table";
import type { DiskCalls } from "./disk_calls.ts";
import { DiskError } from "./disk_error.ts";
import { isFile } from "./_is_file.ts";
import { terminated } from "./_read_whole_file.ts";
import { joinName } from "./_join_name.ts";
import { listEntries } from "./_list_target.ts";
import type { FileIdentity } from "./source.ts";

/** What is removed. */
export interface RemovedEntry {
  /** Descriptor of its directory. */
  readonly directory: number;
  /** Its name. */
  readonly name: Uint8Array;
  /** Its path, for errors. */
  readonly path: Uint8Array;
  /** What stays wherever it is met: that is an error. */
  readonly excludeStore: FileIdentity | undefined;
}

const DIRECTORY_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/**
 * Removes an entry, and all below it where it is a directory. No link is followed, and what is
 * mounted below stays: that is an error.
 */
export function removeEntry(calls: DiskCalls, entry: RemovedEntry): void {
  const home = new StatTable(1);
  check("stat", entry, calls.stat(entry.directory, home, 0));
  removeBelow(calls, entry, home);
}

function removeBelow(
  calls: DiskCalls,
  entry: RemovedEntry,
  home: StatTable,
): void {
  const { directory, path } = entry;
  const name = terminated(entry.name);
  const stats = new StatTable(1);
  const found = calls.statAt(directory, name, AT_SYMLINK_NOFOLLOW, stats, 0);
  if (found === -ENOENT) return;
  check("stat", entry, found);
  if ((stats.mode(0) & S_IFMT) !== S_IFDIR) {
    check("remove", entry, calls.unlinkAt(directory, name, 0));
    return;
  }
  if (isFile(stats, 0, entry.excludeStore)) {
    throw new DiskError("remove", path, "ESTORE");
  }
  const isHome = stats.deviceMajor(0) === home.deviceMajor(0) &&
    stats.deviceMinor(0) === home.deviceMinor(0);
  if (!isHome) throw new DiskError("remove", path, "EXDEV");
  removeContent(calls, entry, name, home);
  check("remove", entry, calls.unlinkAt(directory, name, AT_REMOVEDIR));
}

function removeContent(
  calls: DiskCalls,
  entry: RemovedEntry,
  name: Uint8Array,
  home: StatTable,
): void {
  const fd = calls.openAt(entry.directory, name, DIRECTORY_FLAGS, 0);
  check("open directory", entry, fd);
  try {
    const { count, ends, names } = listEntries(calls, fd, entry.path);
    for (let i = 0, start = 0; i < count; start = ends[i++]) {
      const child = names.subarray(start, ends[i]);
      const path = joinName(entry.path, child, 0, child.length);
      removeBelow(calls, { ...entry, directory: fd, name: child, path }, home);
    }
  } finally {
    calls.close(fd);
  }
}

function check(action: string, entry: RemovedEntry, result: number): void {
  if (result < 0 && result !== -ENOENT) {
    throw new DiskError(action, entry.path, errnoName(result));
  }
}
