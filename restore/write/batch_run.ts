import type { DiskError } from "@snap/disk";
import type { TargetDirectory } from "@snap/disk/target";
import { equalBytes, ID_SIZE } from "@snap/hash";
import { isFatal, isFatalForAttribute } from "./fatal_errors.ts";
import type {
  FileExtras,
  RestoreBatch,
  RestoreFileError,
} from "../messages.ts";

/** A batch under way. */
export class BatchRun {
  readonly batch: RestoreBatch;
  readonly status: Uint8Array;
  readonly errors: RestoreFileError[] = [];
  /** Directories that are open. */
  readonly targets: (TargetDirectory | undefined)[] = [];
  writtenByteCount = 0;
  /** Whether an error was fatal. */
  isOver = false;
  readonly #extras: Map<number, FileExtras>;

  constructor(batch: RestoreBatch) {
    this.batch = batch;
    this.status = new Uint8Array(batch.count);
    this.#extras = new Map(batch.extras);
  }

  /** Takes note that a file could not be written. */
  fail(index: number, { action, code }: DiskError): void {
    this.errors.push({ index, action, code, isAttribute: false });
    this.isOver ||= isFatal(code);
  }

  /** Takes note that an attribute of a file could not be set. */
  miss(index: number, { action, code }: DiskError): void {
    this.errors.push({ index, action, code, isAttribute: true });
    this.isOver ||= isFatalForAttribute(code);
  }

  pathOf(directory: number): Uint8Array {
    const { paths, pathEnds } = this.batch;
    const start = directory === 0 ? 0 : pathEnds[directory - 1];
    return paths.subarray(start, pathEnds[directory]);
  }

  nameOf(row: number): Uint8Array {
    const { names, nameEnds } = this.batch;
    return names.subarray(row === 0 ? 0 : nameEnds[row - 1], nameEnds[row]);
  }

  extrasOf(row: number): FileExtras | undefined {
    return this.#extras.size === 0 ? undefined : this.#extras.get(row);
  }
}

/** Whether the content of a file is that of another row, in the same place. */
export function isSameObject(
  batch: RestoreBatch,
  before: number,
  row: number,
): boolean {
  return before >= 0 && batch.frameOf[before] === batch.frameOf[row] &&
    batch.offsets[before] === batch.offsets[row] &&
    batch.sizes[before] === batch.sizes[row] &&
    equalBytes(
      batch.ids,
      ID_SIZE * before,
      batch.ids,
      ID_SIZE * row,
      ID_SIZE,
    );
}
