/** Refuses what is no number of bytes. */
export function checkSize(size: number): number {
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw new RangeError(
    `Cannot hash ${size} zeros: it takes 0 or more`,
  );
}
