/** Size of an id in bytes. Here, so that hot code needs no other module. */
export const ID_SIZE = 32;

/** Reads a little-endian number of 32 bits. */
export function getU32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) |
    (bytes[at + 3] << 24)) >>> 0;
}

/** Writes a little-endian number of 32 bits. */
export function setU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** First four bytes of an id as a number that sorts as the id does. */
export function idPrefix(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) |
    bytes[at + 3]) >>> 0;
}

/** Compares two ids. */
export function compareIds(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
): number {
  for (let i = 0; i < ID_SIZE; i++) {
    const difference = a[aStart + i] - b[bStart + i];
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether all of a range is zero. */
export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i] !== 0) return false;
  }
  return true;
}

/** Compares two keys: an id, and a kind behind it. */
export function compareKeys(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
): number {
  const order = compareIds(a, aStart, b, bStart);
  if (order !== 0) return order;
  return getU32(a, aStart + ID_SIZE) - getU32(b, bStart + ID_SIZE);
}

/** Copies bytes to where workers have them, too; a browser lets few pages share memory. */
export function sharedCopy(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  const copy = typeof SharedArrayBuffer === "undefined"
    ? new Uint8Array(length)
    : new Uint8Array(new SharedArrayBuffer(length));
  copy.set(bytes);
  return copy;
}
