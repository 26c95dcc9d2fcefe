import { DiskError } from "@snap/disk";
import { EntryKind } from "@snap/manifest/extras";
import { S_IFMT, S_IFREG } from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import type { BatchOrigin } from "./batch_queue.ts";
import type { DirectoryCompleter } from "./directory_completer.ts";
import type { DirectoryEncoder } from "./directory_encoder.ts";
import type { PendingDirectory } from "./pending_directory.ts";
import { type BatchResult, FileStatus } from "../messages.ts";

/** Errors and paths that are kept; later ones are counted only. */
const KEPT_MAX = 10_000;

/** Outcome of the files that were read. */
export class SaveResults {
  /** The first files that could not be read. */
  readonly errors: DiskError[] = [];
  /** How many could not be read. */
  errorCount = 0;
  /** The first files that changed while they were read. */
  readonly changed: Uint8Array[] = [];
  /** How many changed while they were read. */
  changedCount = 0;
  readonly #directories: DirectoryEncoder;
  readonly #completer: DirectoryCompleter;

  /**
   * Counts from zero.
   *
   * @param directories Sets attributes of files that were read again.
   * @param completer Names directories of which everything is known.
   */
  constructor(directories: DirectoryEncoder, completer: DirectoryCompleter) {
    this.#directories = directories;
    this.#completer = completer;
  }

  /** Notes the results of a batch in the directories of its files. */
  take({ directories, rows }: BatchOrigin, result: BatchResult): void {
    for (const [index, row] of result.rows) {
      this.#takeRow(directories[index], rows[index], row);
    }
    for (const [index, extras] of result.extras) {
      directories[index].page.setExtras(rows[index] + 1, extras);
    }
    for (const { index, action, code } of result.errors) {
      directories[index].page.forgetChangeTime(rows[index] + 1);
      if (this.errorCount++ >= KEPT_MAX) continue;
      const path = directories[index].pathOf(rows[index]);
      this.errors.push(new DiskError(action, path, code));
    }
    for (let i = 0; i < rows.length; i++) {
      const directory = directories[i], row = rows[i];
      const status = result.status[i];
      const { tree } = directory;
      if (status === FileStatus.failed) tree.leaveOut(row);
      else tree.setContent(row, result.sizes[i], result.ids, 32 * i);
      if (status === FileStatus.changed && this.changedCount++ < KEPT_MAX) {
        this.changed.push(directory.pathOf(row));
      }
      this.#completer.settle(directory);
    }
  }

  /** Takes what a file was when it was read again. */
  #takeRow(directory: PendingDirectory, row: number, bytes: ArrayBuffer): void {
    const stats = StatTable.fromBuffer(bytes, 1);
    this.#directories.setRow(directory, row, stats, 0);
    const mode = stats.mode(0);
    if ((mode & S_IFMT) === S_IFREG) {
      const isExecutable = (mode & 0o100) !== 0;
      const { executable, file } = EntryKind;
      directory.tree.setFileKind(row, isExecutable ? executable : file);
    }
  }
}
