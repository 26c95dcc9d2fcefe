/**
 * Columns that grow: each call returns the column itself when `count` values fit,
 * else a larger copy. Columns grow by half once they are large, one at a time, so
 * that a builder of millions of rows never holds two of all its columns.
 */
const DOUBLING_MAX = 1 << 16;

function capacityFor(length: number, count: number): number {
  const grown = length < DOUBLING_MAX ? length * 2 : length + (length >> 1);
  return Math.max(grown, count, 16);
}

/** Makes room for `count` bytes. */
export function growBytes(column: Uint8Array, count: number): Uint8Array {
  if (count <= column.length) return column;
  const grown = new Uint8Array(capacityFor(column.length, count));
  grown.set(column);
  return grown;
}

/** Makes room for `count` 16-bit numbers. */
export function growU16(column: Uint16Array, count: number): Uint16Array {
  if (count <= column.length) return column;
  const grown = new Uint16Array(capacityFor(column.length, count));
  grown.set(column);
  return grown;
}

/** Makes room for `count` 32-bit numbers. */
export function growU32(column: Uint32Array, count: number): Uint32Array {
  if (count <= column.length) return column;
  const grown = new Uint32Array(capacityFor(column.length, count));
  grown.set(column);
  return grown;
}

/** Makes room for `count` floating-point numbers. */
export function growF64(column: Float64Array, count: number): Float64Array {
  if (count <= column.length) return column;
  const grown = new Float64Array(capacityFor(column.length, count));
  grown.set(column);
  return grown;
}
