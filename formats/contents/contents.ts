import type { ViewEntry } from "@snap/snapshot/view";

/**
 * Contents of files that are read ahead: they are handed out in the order in which
 * they were asked for.
 */
export interface Contents extends AsyncDisposable {
  /** Whether so much is wanted that some of it is to be taken first. */
  readonly isFull: boolean;
  /**
   * Asks for runs of a file.
   *
   * @param runs Pairs of offset and size in its content.
   */
  want(entry: ViewEntry, runs: readonly number[]): void;
  /**
   * Takes the next bytes of what was asked for: of no more than one run, and of all
   * of a file where that is wanted and has 4 MiB at most. Then they were checked
   * against its id, else each chunk of them.
   *
   * @returns The bytes, good until the next call.
   * @throws {DamageError} If they are damaged in every copy.
   */
  next(): Promise<Uint8Array> | Uint8Array;
}
