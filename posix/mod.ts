/**
 * Calls that the runtimes lack or make differently: of the operating system, on bytes, numbers and
 * descriptors, starting a worker, asking for a permission.
 *
 * ```ts
 * import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "@snap/posix/constants";
 * import { posix } from "@snap/posix";
 * import { StatTable } from "@snap/posix/stat-table";
 *
 * const table = new StatTable(1);
 * const name = new TextEncoder().encode("/etc\0");
 * if (posix?.statAt(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, table, 0) === 0) {
 *   console.log(table.mode(0), table.mtimeSec(0));
 * }
 * ```
 *
 * The parts have entry points of their own:
 *
 * - `@snap/posix/constants`: numbers of the system: flags, errors, modes. They load nothing else
 * - `@snap/posix/decoders`: decoders and encoders of the system's libraries
 * - `@snap/posix/stat-table`: rows of file metadata, without an object for each
 *
 * @module
 */
export * from "./allowed.ts";
export * from "./calls.ts";
export * from "./directory_entries.ts";
export * from "./io_vector.ts";
export * from "./poll_set.ts";
export * from "./posix.ts";
export * from "./watch_events.ts";
