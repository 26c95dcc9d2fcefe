import { DiskError } from "@snap/disk/disk-error";
import { EntryKind } from "@snap/manifest/entry-kind";
import { S_IFMT, S_IFREG } from "@snap/posix/mode";
import { StatTable } from "@snap/posix/stat-table";
import type { BatchOrigin } from "./_batch_queue.ts";
import { forgetChangeTime } from "./_parent_directory.ts";
import type { PendingDirectory } from "./_pending_directory.ts";
import { type BatchResult, FileStatus } from "./_save_messages.ts";

/** Errors and paths that are kept; later ones are counted only. */
const KEPT_MAX = 10_000;

/** What came of the files that were read. */
export class SaveResults {
  /** The first files that could not be read. */
  readonly errors: DiskError[] = [];
  /** How many could not be read. */
  errorCount = 0;
  /** The first files that changed while they were read. */
  readonly changed: Uint8Array[] = [];
  /** How many changed while they were read. */
  changedCount = 0;

  /**
   * Notes the results of a batch in the directories of its files.
   *
   * @param batch Where the results belong.
   * @param result The results.
   * @param onFile Told of the directory of each file, once all of the file is noted.
   */
  take(
    { directories, rows }: BatchOrigin,
    result: BatchResult,
    onFile: (directory: PendingDirectory) => void,
  ): void {
    for (const [index, row] of result.rows) {
      takeRow(directories[index], rows[index], row);
    }
    for (const [index, extras] of result.extras) {
      directories[index].extras.set(rows[index], extras);
    }
    for (const { index, action, code } of result.errors) {
      forgetChangeTime(directories[index].stats, rows[index]);
      if (this.errorCount++ >= KEPT_MAX) continue;
      const path = directories[index].pathOf(rows[index]);
      this.errors.push(new DiskError(action, path, code));
    }
    for (let i = 0; i < rows.length; i++) {
      const directory = directories[i], row = rows[i];
      const status = result.status[i];
      if (status === FileStatus.failed) directory.leaveOut(row);
      else {
        directory.ids.set(result.ids.subarray(32 * i, 32 * i + 32), 32 * row);
        directory.sizes[row] = result.sizes[i];
      }
      if (status === FileStatus.changed && this.changedCount++ < KEPT_MAX) {
        this.changed.push(directory.pathOf(row));
      }
      onFile(directory);
    }
  }
}

/** Takes what a file was when it was read again. */
function takeRow(
  directory: PendingDirectory,
  row: number,
  bytes: ArrayBuffer,
): void {
  const stats = StatTable.fromBuffer(bytes, 1);
  stats.copyRow(0, directory.stats, row);
  const mode = stats.mode(0);
  if ((mode & S_IFMT) === S_IFREG) {
    directory.kinds[row] = (mode & 0o100) !== 0
      ? EntryKind.executable
      : EntryKind.file;
  }
}
