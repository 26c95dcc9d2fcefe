import { AT_SYMLINK_NOFOLLOW, ENOENT, errnoName } from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import type { DiskCalls } from "../disk_calls.ts";
import { DiskError } from "../disk_error.ts";
import type { Listing } from "../listing.ts";
import { openBelow } from "../open_below.ts";
import { type FileIdentity, isFile } from "../file_identity.ts";
import type { TargetEntries } from "./target_entries.ts";

/** Options of listing a directory of a target. */
export interface ListOptions {
  /** Buffers to use again, which nobody else uses. */
  readonly listing: Listing;
  /** Rules for entries to leave out. */
  readonly excludeStore: FileIdentity | undefined;
}

const UNKNOWN: StatTable = new StatTable(1);
const THIS_DIRECTORY = new Uint8Array(0);

/** Entries of one step, and what a step costs in bytes that are read in that time. */
const STEP_ENTRIES = 64, STEP_COST = 256 * 1024;

/**
 * Lists an open directory, with everything that is in it. Each step gives the work that was done.
 *
 * @param options Buffers, and what is left out.
 * @throws {DiskError} If it cannot be listed.
 */
export function* listEntries(
  calls: DiskCalls,
  directory: number,
  path: Uint8Array,
  options: ListOptions,
): Generator<number, TargetEntries> {
  // A descriptor of its own, as the place in the list belongs to the descriptor.
  const fd = openBelow(calls, directory, THIS_DIRECTORY, "refused");
  if (fd < 0) throw new DiskError("open directory", path, errnoName(fd));
  try {
    return yield* listDescriptor(calls, fd, path, options);
  } finally {
    calls.close(fd);
  }
}

function* listDescriptor(
  calls: DiskCalls,
  fd: number,
  path: Uint8Array,
  { listing, excludeStore }: ListOptions,
): Generator<number, TargetEntries> {
  const { all, total } = yield* readNames(calls, fd, path, listing);
  const names = new Uint8Array(all.length - total);
  const ends = new Uint32Array(total);
  const stats = new StatTable(total);
  let count = 0;
  let at = 0;
  for (let i = 0, start = 0; i < total; i++) {
    if (i % STEP_ENTRIES === STEP_ENTRIES - 1) yield STEP_COST;
    const end = all.indexOf(0, start);
    const name = all.subarray(start, end + 1);
    start = end + 1;
    const found = calls.statAt(fd, name, AT_SYMLINK_NOFOLLOW, stats, count);
    if (found === -ENOENT) continue;
    // What it is cannot be told, as of a server that is gone: it has no type, and does not keep
    // the others from being seen.
    if (found < 0) UNKNOWN.copyRow(0, stats, count);
    else if (isFile(stats, count, excludeStore)) continue;
    names.set(name.subarray(0, -1), at);
    at += name.length - 1;
    ends[count++] = at;
  }
  return {
    count,
    names: names.subarray(0, at),
    ends: ends.subarray(0, count),
    stats,
  };
}

/** The names of a directory in their order, each followed by NUL. */
function* readNames(
  calls: DiskCalls,
  fd: number,
  path: Uint8Array,
  listing: Listing,
): Generator<number, { all: Uint8Array; total: number }> {
  listing.isInUse = true;
  try {
    const steps = listing.readInSteps(calls, fd);
    for (let step = steps.next();; step = steps.next()) {
      if (step.done && step.value >= 0) {
        return { all: sortedNames(listing), total: listing.count };
      }
      if (step.done) {
        throw new DiskError("list directory", path, errnoName(step.value));
      }
      yield STEP_COST;
    }
  } finally {
    listing.isInUse = false;
  }
}

/** The names of a listing in their order, each followed by NUL, in memory of their own. */
function sortedNames(listing: Listing): Uint8Array {
  const { bytes, count, ends, order, starts } = listing;
  let size = 0;
  for (let i = 0; i < count; i++) size += ends[i] - starts[i] + 1;
  const names = new Uint8Array(size);
  for (let i = 0, at = 0; i < count; i++) {
    const item = order[i];
    names.set(bytes.subarray(starts[item], ends[item]), at);
    at += ends[item] - starts[item] + 1;
  }
  return names;
}
