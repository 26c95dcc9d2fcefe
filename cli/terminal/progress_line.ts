import type { RestoreProgress } from "@snap/restore";
import type { SaveProgress } from "@snap/save";
import {
  formatCount,
  formatCounted,
  formatDuration,
  formatSize,
} from "./units.ts";

/** The least time between two drawings, in milliseconds. */
const INTERVAL_MS = 100;
/** Window of the rate in milliseconds: a longer one would make it jump. */
const RATE_WINDOW_MS = 10_000;
/** Before this time a rate means nothing, in milliseconds. */
const RATE_AFTER_MS = 1000;
/** Before this time nobody can tell how long the rest takes, in milliseconds. */
const LEFT_AFTER_MS = 3000;
/** A time beyond this is that of work that stands still, in milliseconds. */
const LEFT_MAX_MS = 100 * 3600 * 1000;

/** Progress of some work. */
export interface Progress {
  /** Unit of the counts, such as `file`. */
  readonly unit: string;
  /** How many are done. */
  readonly doneCount: number;
  /** How many there are, so far as is known. */
  readonly totalCount?: number;
  /** Bytes done. */
  readonly doneByteCount: number;
  /** Bytes there are, so far as is known. */
  readonly totalByteCount?: number;
  /** Whether the totals are final. */
  readonly isTotalKnown: boolean;
  /** Bytes that went to a store far away. */
  readonly sentByteCount?: number;
  /** Bytes that came from a store far away. */
  readonly receivedByteCount?: number;
}

/** Turns the counters of a save or a restore into a progress line. */
export function fileProgressOf(
  progress: SaveProgress | RestoreProgress,
): Progress {
  return {
    unit: "file",
    doneCount: progress.fileCount,
    totalCount: progress.foundFileCount,
    doneByteCount: progress.byteCount,
    totalByteCount: progress.foundByteCount,
    isTotalKnown: progress.isWalked,
  };
}

/** A line of a terminal that is drawn again and again. */
export class ProgressLine {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  readonly #now: () => number;
  readonly #marks: { readonly ms: number; readonly progress: Progress }[] = [];
  #startMs: number | undefined;
  #drawnMs = -Infinity;
  #isDrawn = false;

  /**
   * Draws nothing yet.
   *
   * @param now The clock, in milliseconds.
   */
  constructor(
    write: (text: string) => void,
    columns: () => number,
    now: () => number = () => performance.now(),
  ) {
    this.#write = write;
    this.#columns = columns;
    this.#now = now;
  }

  /** Draws the line, unless it was drawn a moment ago. */
  update(progress: Progress): void {
    const ms = this.#now();
    if (ms - this.#drawnMs < INTERVAL_MS) return;
    this.#drawnMs = ms;
    this.#startMs ??= ms;
    this.#marks.push({ ms, progress });
    while (
      this.#marks.length > 2 && this.#marks[0].ms < ms - RATE_WINDOW_MS
    ) this.#marks.shift();
    const text = formatProgress(progress, {
      rate: this.#rate(({ doneByteCount }) => doneByteCount),
      sentRate: this.#rate(({ sentByteCount = 0 }) => sentByteCount),
      receivedRate: this.#rate(({ receivedByteCount = 0 }) =>
        receivedByteCount
      ),
      isSettled: ms - this.#startMs >= LEFT_AFTER_MS,
    }).slice(
      0,
      Math.max(0, this.#columns() - 1),
    );
    this.#write(`\r${text}\x1b[K`);
    this.#isDrawn = true;
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#isDrawn) this.#write("\r\x1b[K");
    this.#isDrawn = false;
  }

  /** Bytes a second, 0 if not known yet. */
  #rate(countOf: (progress: Progress) => number): number {
    const first = this.#marks[0];
    const last = this.#marks.at(-1)!;
    const ms = last.ms - first.ms;
    return ms < RATE_AFTER_MS
      ? 0
      : (countOf(last.progress) - countOf(first.progress)) / ms * 1000;
  }
}

/** Speed of some work. */
export interface Pace {
  /** Bytes a second, 0 if not known. */
  readonly rate: number;
  /** Bytes a second that go to a store far away, 0 if not known. */
  readonly sentRate?: number;
  /** Bytes a second that come from a store far away, 0 if not known. */
  readonly receivedRate?: number;
  /** Whether it is known long enough to tell how long the rest takes. */
  readonly isSettled: boolean;
}

/**
 * Writes how far some work is.
 *
 * @returns Text like `1,204 of 20,591 files, 96 MiB of 374 MiB, 410 MiB/s, 0:01 left`.
 */
export function formatProgress(
  progress: Progress,
  { rate, sentRate = 0, receivedRate = 0, isSettled }: Pace,
): string {
  const { doneCount, totalCount = 0, doneByteCount, totalByteCount = 0 } =
    progress;
  const { unit, isTotalKnown } = progress;
  const parts = [
    totalCount > doneCount
      ? `${formatCount(doneCount)} of ${formatCounted(totalCount, unit)}`
      : formatCounted(doneCount, unit),
    totalByteCount > doneByteCount
      ? `${formatSize(doneByteCount)} of ${formatSize(totalByteCount)}`
      : formatSize(doneByteCount),
  ];
  if (rate > 0) parts.push(`${formatSize(rate)}/s`);
  if (sentRate >= 1) parts.push(`up ${formatSize(sentRate)}/s`);
  if (receivedRate >= 1) parts.push(`down ${formatSize(receivedRate)}/s`);
  const isLeft = isTotalKnown && totalByteCount > doneByteCount;
  if (rate > 0 && isSettled && isLeft) {
    const ms = (totalByteCount - doneByteCount) / rate * 1000;
    if (ms < LEFT_MAX_MS) parts.push(`${formatDuration(ms)} left`);
  }
  return parts.join(", ");
}
