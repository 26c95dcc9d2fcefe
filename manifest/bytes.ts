/** Bytes of the id of empty content: BLAKE3 of nothing. */
export const EMPTY_ID: Uint8Array = Uint8Array.from(
  "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262".match(
    /../g,
  )!,
  (pair) => parseInt(pair, 16),
);

/** Size of an id in bytes. */
export const ID_SIZE = 32;

/** 2^32, what the upper word of a 64-bit number counts. */
export const WORD = 0x1_0000_0000;

/** Largest upper word of a number that is at most 2^53 − 1. */
export const SAFE_HIGH_MAX = 0x1f_ffff;

/** Compares two runs of bytes: below 0, 0 or above 0. */
export function compareRuns(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const aSize = aEnd - aStart;
  const bSize = bEnd - bStart;
  const size = aSize < bSize ? aSize : bSize;
  for (let at = 0; at < size; at++) {
    const difference = a[aStart + at] - b[bStart + at];
    if (difference !== 0) return difference;
  }
  return aSize - bSize;
}

/** Says whether the ids at two places are equal. */
export function equalIds(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
): boolean {
  for (let at = 0; at < ID_SIZE; at++) {
    if (a[aStart + at] !== b[bStart + at]) return false;
  }
  return true;
}
