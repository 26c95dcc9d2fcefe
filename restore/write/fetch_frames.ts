import {
  NotFoundError,
  type ReadStore,
  StoreError,
  type StoreOptions,
} from "@snap/store";
import { FRAME_COLUMNS, type RestoreBatch } from "../messages.ts";

/** Frames that lie side by side are read together up to this size. */
const RANGE_SIZE_MAX = 4 * 1024 * 1024;
/** Ranges that are read at once. */
const CONCURRENCY = 8;

interface Range {
  readonly name: string;
  readonly first: number;
  last: number;
  readonly start: number;
  end: number;
}

/**
 * Reads the frames of a batch from a store that has no local files.
 *
 * @param store The store.
 * @param batch The batch.
 * @param options A signal.
 * @returns The stored bytes of each frame; none where they cannot be had.
 */
export async function fetchFrames(
  store: ReadStore,
  batch: RestoreBatch,
  options: StoreOptions,
): Promise<Uint8Array[]> {
  const stored: Uint8Array[] = [];
  const ranges = rangesOf(batch);
  let next = 0;
  const reader = async (): Promise<void> => {
    while (next < ranges.length) {
      const range = ranges[next++];
      try {
        const bytes = await readRange(store, range, options);
        for (let frame = range.first; frame <= range.last; frame++) {
          const at = FRAME_COLUMNS * frame;
          const offset = batch.frames[at + 1] - range.start;
          stored[frame] = bytes.subarray(offset, offset + batch.frames[at + 2]);
        }
      } catch (error) {
        next = ranges.length;
        throw error;
      }
    }
  };
  const readers = Array.from({ length: CONCURRENCY }, reader);
  await Promise.allSettled(readers); // Whoever started work waits for its end.
  await Promise.all(readers);
  return stored;
}

function rangesOf(batch: RestoreBatch): Range[] {
  const ranges: Range[] = [];
  const { frames, packs } = batch;
  for (let at = 0; at < frames.length; at += FRAME_COLUMNS) {
    const name = packs[frames[at]];
    const start = frames[at + 1], end = start + frames[at + 2];
    const last = ranges.at(-1);
    const frame = at / FRAME_COLUMNS;
    const joins = last !== undefined && last.name === name &&
      start === last.end && end - last.start <= RANGE_SIZE_MAX;
    if (joins) {
      last.last = frame;
      last.end = end;
    } else ranges.push({ name, first: frame, last: frame, start, end });
  }
  return ranges;
}

/** What is gone or too short is found out file by file, as there may be other copies. */
async function readRange(
  store: ReadStore,
  range: Range,
  options: StoreOptions,
): Promise<Uint8Array> {
  const { name, start, end } = range;
  try {
    return await store.read(name, {
      ...options,
      offset: start,
      length: end - start,
    });
  } catch (error) {
    const isDamage = error instanceof NotFoundError ||
      (error instanceof StoreError && error.code === "SHORT");
    if (isDamage) return new Uint8Array(0);
    throw error;
  }
}
