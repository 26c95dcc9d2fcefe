import type { DiskError } from "@snap/disk";
import type { NewCounts } from "@snap/pack/sink";
import { STAT_ROW_SIZE, StatTable } from "@snap/posix/stat-table";
import { type BatchResult, type FileError, FileStatus } from "../messages.ts";

/** The result of a batch while it is being made. */
export class BatchDraft {
  index = 0;
  /** The id of the file in hand. */
  id: Uint8Array = new Uint8Array(32);
  readonly #number: number;
  readonly #status: Uint8Array;
  readonly #ids: Uint8Array;
  readonly #sizes: Float64Array;
  readonly #extras: [number, Uint8Array][] = [];
  readonly #rows: [number, ArrayBuffer][] = [];
  readonly #errors: FileError[] = [];

  constructor(number: number, count: number) {
    this.#number = number;
    this.#status = new Uint8Array(count);
    this.#ids = new Uint8Array(32 * count);
    this.#sizes = new Float64Array(count);
  }

  noteError(error: DiskError): void {
    const { action, code } = error;
    this.#errors.push({ index: this.index, action, code });
  }

  fail(error: DiskError): void {
    this.#status[this.index] = FileStatus.failed;
    this.noteError(error);
  }

  noteRow(stats: StatTable, at: number, isStable: boolean): void {
    const row = new StatTable(1);
    stats.copyRow(at, row, 0);
    this.#rows.push([this.index, row.buffer.slice(0, STAT_ROW_SIZE)]);
    this.#status[this.index] = isStable
      ? FileStatus.reread
      : FileStatus.changed;
  }

  noteExtras(bytes: Uint8Array): void {
    this.#extras.push([this.index, bytes.slice()]);
  }

  commit(size: number): void {
    this.#ids.set(this.id, 32 * this.index);
    this.#sizes[this.index] = size;
  }

  result(
    counts: NewCounts & Pick<BatchResult, "inHandByteCount">,
  ): BatchResult {
    return {
      ...counts,
      number: this.#number,
      status: this.#status,
      ids: this.#ids,
      sizes: this.#sizes,
      extras: this.#extras,
      rows: this.#rows,
      errors: this.#errors,
    };
  }
}
