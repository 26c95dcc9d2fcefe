import type { Id } from "@snap/hash";
import type { StatTable } from "@snap/posix/stat-table";

/**
 * Knowledge of a source beside the snapshot of one record. A save neither opens nor
 * lists what is the same, and takes its ids from the tree above it.
 *
 * Not the same is, with all directories above it, a directory that holds a socket or
 * an entry that could not be read or changed meanwhile, as these are told of in each
 * save, and one with a file whose times are no proof.
 */
export interface KnownChanges {
  /** The record: beside another one nothing is known. */
  readonly record: Id;
  /**
   * Rows of the devices, in the order in which a walk of the whole source meets them;
   * that of the root is the first.
   */
  readonly devices: StatTable;
  /**
   * Tells whether a directory is as it was, and all that is below it. Asked for the
   * root, then for the directories in one that is not the same.
   *
   * @param path Its path below the source; empty for the source.
   * @returns False in any doubt.
   */
  isSame(path: Uint8Array): boolean;
}
