import type { DiskError } from "@snap/disk";
import type { Totals } from "@snap/snapshot/records";

/** A file system that has no files of its own. */
export interface UnrealDevice {
  /** The path where it was met first, relative to the source. */
  readonly path: Uint8Array;
  /** Its name, such as `proc`. */
  readonly type: string;
}

/** The totals of a directory that was read, and all that went wrong in it. */
export interface SourceReport {
  /** Totals of the directory. */
  readonly totals: Totals;
  /** Errors of entries that could not be read; of very many, the first 10,000 and more. */
  readonly errors: readonly DiskError[];
  /** How much could not be read. */
  readonly errorCount: number;
  /** Files that changed while they were read; of very many, the first 10,000. */
  readonly changed: readonly Uint8Array[];
  /** How many files changed while they were read. */
  readonly changedCount: number;
  /**
   * File systems below the source whose files the kernel makes up as they are
   * read, such as `proc`. Better left out.
   */
  readonly unreal: readonly UnrealDevice[];
}
