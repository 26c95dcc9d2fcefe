import { compareBytes } from "@snap/hash";
import { StatTable } from "@snap/posix/stat-table";
import type { FileBatch } from "../messages.ts";

/** A file of a batch. */
export interface BatchedFile {
  /** Path of its directory, relative to the source. */
  readonly directory: Uint8Array;
  /** Its name. */
  readonly name: Uint8Array;
  /** Attributes as the walk saw them. */
  readonly stats: StatTable;
  /** Its row there. */
  readonly row: number;
  /** Which file of the batch it is, in the order of the walk. */
  readonly index: number;
}

/**
 * Orders the files of a batch by their names, and those of one name as the walk met
 * them: files of one name are alike, and what is alike takes less room in one frame.
 */
export function filesByName({ parts }: FileBatch): BatchedFile[] {
  const files: BatchedFile[] = [];
  for (const { directory, names, ends, stats: buffer } of parts) {
    const stats = StatTable.fromBuffer(buffer, ends.length);
    for (let row = 0, start = 0; row < ends.length; start = ends[row++]) {
      const name = names.subarray(start, ends[row]);
      files.push({ directory, name, stats, row, index: files.length });
    }
  }
  return files.sort((a, b) =>
    compareBytes(a.name, b.name) || a.index - b.index
  );
}
