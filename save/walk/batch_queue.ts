import type { PoolJob } from "@snap/posix/worker-pool";
import { STAT_ROW_SIZE, StatTable } from "@snap/posix/stat-table";
import type { PendingDirectory } from "./pending_directory.ts";
import type { BatchPart, FileBatch } from "../messages.ts";

/** Files in a batch, at most. */
const BATCH_COUNT_MAX = 256;
/** Bytes of a batch, each file counted with what opening it costs. */
const BATCH_SIZE_MAX = 4 * 1024 * 1024;
/** Cost of opening a file, in bytes read. */
export const FILE_COST = 4096;

/** Where the results of a batch belong. */
export interface BatchOrigin {
  /** Directory and row of each file, in the order of the batch. */
  readonly directories: readonly PendingDirectory[];
  readonly rows: readonly number[];
  /** Plain bytes that the walk saw. */
  readonly byteCount: number;
}

/** A batch with its origin. */
export interface QueuedBatch extends BatchOrigin, PoolJob {
  readonly batch: FileBatch;
  /** Whether it is one large file, to be read through the ring. */
  readonly isShared: boolean;
}

/** Gathers files of the walk into batches. */
export class BatchQueue {
  readonly #largeSizeMin: number;
  readonly #onBatch: (batch: QueuedBatch) => void;
  #number = 0;
  #directories: PendingDirectory[] = [];
  #rows: number[] = [];
  /** Attributes of each file as the walk saw it. */
  #stats = new StatTable(BATCH_COUNT_MAX);
  #cost = 0;
  #byteCount = 0;

  /**
   * Makes an empty queue.
   *
   * @param largeSizeMin Files from this size on are a batch of their own.
   */
  constructor(largeSizeMin: number, onBatch: (batch: QueuedBatch) => void) {
    this.#largeSizeMin = largeSizeMin;
    this.#onBatch = onBatch;
  }

  /** Batches so far. */
  get batchCount(): number {
    return this.#number;
  }

  /**
   * Adds a file.
   *
   * @param row Its row there, one of those in the stats of the listing.
   */
  add(directory: PendingDirectory, row: number): void {
    const { stats, first } = directory.source;
    const size = stats.size(row - first);
    if (size >= this.#largeSizeMin) {
      this.flush();
      this.#push(directory, row, size);
      this.#emit(true);
      return;
    }
    this.#push(directory, row, size);
    if (
      this.#rows.length >= BATCH_COUNT_MAX || this.#cost >= BATCH_SIZE_MAX
    ) this.flush();
  }

  /** Ends the batch in hand. */
  flush(): void {
    if (this.#rows.length > 0) this.#emit(false);
  }

  #push(directory: PendingDirectory, row: number, size: number): void {
    directory.waiting++;
    const { stats, first } = directory.source;
    stats.copyRow(row - first, this.#stats, this.#rows.length);
    this.#directories.push(directory);
    this.#rows.push(row);
    this.#cost += size + FILE_COST;
    this.#byteCount += size;
  }

  #emit(isShared: boolean): void {
    const directories = this.#directories, rows = this.#rows;
    const parts: BatchPart[] = [];
    for (let first = 0; first < rows.length;) {
      let end = first + 1;
      while (directories[end] === directories[first]) end++;
      const stats = this.#stats.buffer.slice(
        STAT_ROW_SIZE * first,
        STAT_ROW_SIZE * end,
      );
      parts.push(partOf(directories[first], rows.slice(first, end), stats));
      first = end;
    }
    const number = this.#number++;
    const batch = { number, parts };
    const byteCount = this.#byteCount;
    this.#directories = [];
    this.#rows = [];
    this.#cost = this.#byteCount = 0;
    this.#onBatch({ number, batch, directories, rows, byteCount, isShared });
  }
}

function partOf(
  directory: PendingDirectory,
  rows: readonly number[],
  stats: ArrayBuffer,
): BatchPart {
  let size = 0;
  for (const row of rows) {
    size += directory.ends[row] - directory.nameStart(row);
  }
  const names = new Uint8Array(size);
  const ends = new Uint32Array(rows.length);
  for (let i = 0, at = 0; i < rows.length; i++) {
    const start = directory.nameStart(rows[i]), end = directory.ends[rows[i]];
    for (let k = start; k < end; k++) names[at++] = directory.names[k];
    ends[i] = at;
  }
  return { directory: directory.path, names, ends, stats };
}
