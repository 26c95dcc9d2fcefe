import type { SourceDirectory } from "@snap/disk/source";

/** The listing that rows are taken from. */
export type RecordedDirectory = Pick<
  SourceDirectory,
  "self" | "first" | "names" | "ends" | "nameStart" | "stats"
>;

/** Takes down what a walk of a whole source sees, in the order in which it comes. */
export interface RowRecorder {
  /**
   * Begins a directory. Its rows follow, and then all directories among them.
   *
   * @param directory The directory, or `undefined` if it could not be opened: it has no rows.
   */
  begin(directory: RecordedDirectory | undefined): void;
  /**
   * Adds an entry.
   *
   * @param row Its row, one of those in the stats of the listing.
   */
  add(directory: RecordedDirectory, row: number): void;
  /** Ends the rows of the directory. */
  end(): void;
}
