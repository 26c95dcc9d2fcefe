import { AT_SYMLINK_NOFOLLOW, ENOENT, errnoName } from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import type { DiskCalls } from "../disk_calls.ts";
import { DiskError } from "../disk_error.ts";
import type { Listing } from "../listing.ts";
import { terminated } from "../read_whole_file.ts";
import { openBelow } from "../open_below.ts";
import { type FileIdentity, isFile } from "../file_identity.ts";
import type { TargetEntries } from "./target_entries.ts";

/** Options of listing a directory of a target. */
export interface ListOptions {
  /** Buffers to use again. */
  readonly listing: Listing;
  /** Rules for entries to leave out. */
  readonly excludeStore: FileIdentity | undefined;
}

const UNKNOWN: StatTable = new StatTable(1);
const THIS_DIRECTORY = new Uint8Array(0);

/**
 * Lists an open directory, with everything that is in it.
 *
 * @param options Buffers, and what is left out.
 * @throws {DiskError} If it cannot be listed.
 */
export function listEntries(
  calls: DiskCalls,
  directory: number,
  path: Uint8Array,
  options: ListOptions,
): TargetEntries {
  // A descriptor of its own, as the place in the list belongs to the descriptor.
  const fd = openBelow(calls, directory, THIS_DIRECTORY, "refused");
  if (fd < 0) throw new DiskError("open directory", path, errnoName(fd));
  try {
    return listDescriptor(calls, fd, path, options);
  } finally {
    calls.close(fd);
  }
}

function listDescriptor(
  calls: DiskCalls,
  fd: number,
  path: Uint8Array,
  { listing, excludeStore }: ListOptions,
): TargetEntries {
  const result = listing.read(calls, fd);
  if (result < 0) {
    throw new DiskError("list directory", path, errnoName(result));
  }
  let size = 0;
  for (let i = 0; i < listing.count; i++) {
    size += listing.ends[i] - listing.starts[i];
  }
  const names = new Uint8Array(size);
  const ends = new Uint32Array(listing.count);
  const stats = new StatTable(listing.count);
  let count = 0;
  let at = 0;
  for (let i = 0; i < listing.count; i++) {
    const item = listing.order[i];
    const name = listing.bytes.subarray(
      listing.starts[item],
      listing.ends[item],
    );
    const found = calls.statAt(
      fd,
      terminated(name),
      AT_SYMLINK_NOFOLLOW,
      stats,
      count,
    );
    if (found === -ENOENT) continue;
    // What it is cannot be told, as of a server that is gone: it has no type, and does not keep
    // the others from being seen.
    if (found < 0) UNKNOWN.copyRow(0, stats, count);
    else if (isFile(stats, count, excludeStore)) continue;
    names.set(name, at);
    at += name.length;
    ends[count++] = at;
  }
  return {
    count,
    names: names.subarray(0, at),
    ends: ends.subarray(0, count),
    stats,
  };
}
