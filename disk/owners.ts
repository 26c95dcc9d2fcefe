import { allowed } from "@snap/posix";
import { Owners } from "@snap/posix/owners";
import { diskCalls } from "./best_calls.ts";
import type { DiskCalls } from "./disk_calls.ts";
import { readWholeFile } from "./read_whole_file.ts";

const NOTHING = new Uint8Array(0);

let known: Owners | undefined;

/**
 * The owners of this machine, from `/etc/passwd` and `/etc/group`, read once.
 *
 * A file that cannot be read gives no names: then numbers serve.
 *
 * @param calls How the files are read.
 * @returns The same owners for every call.
 */
export function localOwners(calls: DiskCalls = diskCalls()): Owners {
  known ??= new Owners({
    passwd: readTable(calls, "/etc/passwd"),
    group: readTable(calls, "/etc/group"),
  });
  return known;
}

/** Reads a table, unless Deno would ask on a terminal for a permission. */
function readTable(calls: DiskCalls, path: string): Uint8Array {
  if (calls.reduced && !allowed("read", path)) return NOTHING;
  return readWholeFile(calls, path) ?? NOTHING;
}
