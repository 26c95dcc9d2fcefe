/** Names in one heap: name `i` is the bytes from `starts[i]` to `ends[i]`. */
export interface NameHeap {
  /** Bytes of all names. */
  readonly bytes: Uint8Array;
  /** Where each name begins. */
  readonly starts: Uint32Array;
  /** Where each name ends. */
  readonly ends: Uint32Array;
}

const RUN_SIZE = 8;
/** Names that are moved between two steps. */
const STEP_COUNT = 1 << 15;

/**
 * Sorts the numbers 0 to `count` - 1 by the bytes of their names.
 *
 * A merge sort over typed arrays: no string, no object and no closure for a name.
 *
 * @returns `order`, or `spare` where the last pass ended there.
 */
export function sortNames(
  heap: NameHeap,
  count: number,
  order: Uint32Array,
  spare: Uint32Array,
): Uint32Array {
  const steps = sortNamesInSteps(heap, count, order, spare);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Sorts as `sortNames` does, a step at a time. */
export function* sortNamesInSteps(
  heap: NameHeap,
  count: number,
  order: Uint32Array,
  spare: Uint32Array,
): Generator<void, Uint32Array> {
  let moved = 0;
  const merge: Merge = { left: 0, middle: 0, right: 0, end: 0, at: 0 };
  for (let i = 0; i < count; i++) order[i] = i;
  for (let start = 0; start < count; start += RUN_SIZE) {
    sortRun(heap, order, start, Math.min(start + RUN_SIZE, count));
    if ((moved += RUN_SIZE) >= STEP_COUNT) {
      moved = 0;
      yield;
    }
  }
  for (let width = RUN_SIZE; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      merge.left = merge.at = start;
      merge.middle = merge.right = Math.min(start + width, count);
      merge.end = Math.min(start + 2 * width, count);
      while (merge.at < merge.end) {
        moved += mergeSome(heap, order, spare, merge);
        if (moved < STEP_COUNT) continue;
        moved = 0;
        yield;
      }
    }
    const swap = order;
    order = spare;
    spare = swap;
  }
  return order;
}

function sortRun(
  heap: NameHeap,
  order: Uint32Array,
  start: number,
  end: number,
): void {
  for (let i = start + 1; i < end; i++) {
    const item = order[i];
    let j = i - 1;
    while (j >= start && isAfter(heap, order[j], item)) {
      order[j + 1] = order[j];
      j--;
    }
    order[j + 1] = item;
  }
}

/** Two runs that become one. */
interface Merge {
  /** Next of the first run, which ends in the middle. */
  left: number;
  middle: number;
  /** Next of the second run. */
  right: number;
  end: number;
  /** Where the next goes. */
  at: number;
}

/** Merges some names, and returns how many. */
function mergeSome(
  heap: NameHeap,
  from: Uint32Array,
  to: Uint32Array,
  merge: Merge,
): number {
  const { middle, end } = merge;
  let { left, right, at } = merge;
  const start = at;
  const stop = Math.min(end, at + STEP_COUNT);
  for (; at < stop; at++) {
    const takeRight = left === middle ||
      (right < end && isAfter(heap, from[left], from[right]));
    to[at] = from[takeRight ? right++ : left++];
  }
  merge.left = left;
  merge.right = right;
  merge.at = at;
  return at - start;
}

function isAfter(heap: NameHeap, a: number, b: number): boolean {
  const { bytes, starts, ends } = heap;
  let at = starts[a];
  let other = starts[b];
  const size = ends[a] - at;
  const otherSize = ends[b] - other;
  const end = at + Math.min(size, otherSize);
  while (at < end) {
    const difference = bytes[at++] - bytes[other++];
    if (difference !== 0) return difference > 0;
  }
  return size > otherSize;
}
