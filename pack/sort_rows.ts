import { compareKeys, idPrefix } from "./bytes.ts";

const INSERTION_MAX = 32;

/**
 * Sorts rows that begin with an id and a kind, without an object a row. Rows
 * with equal keys keep their order.
 *
 * The native sort of numbers does the work: the first bytes of the id above the
 * number of the row in one float. What shares these bytes is compared in full.
 *
 * @param rows Rows of equal size, one after the other
 * @param count Number of rows
 * @param rowSize Size of a row in bytes
 * @returns Numbers of the rows in ascending order
 */
export function sortRows(
  rows: Uint8Array,
  count: number,
  rowSize: number,
): Uint32Array {
  const indexBits = Math.max(1, Math.ceil(Math.log2(count + 1)));
  const scale = 2 ** indexBits;
  const drop = 2 ** Math.max(0, indexBits + 32 - 53);
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const prefix = Math.floor(idPrefix(rows, i * rowSize) / drop);
    keys[i] = prefix * scale + i;
  }
  keys.sort();
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = keys[i] % scale;
  let start = 0;
  for (let i = 1; i <= count; i++) {
    if (i < count && same(keys[i], keys[start], scale)) continue;
    if (i - start > 1) sortRange(rows, rowSize, order.subarray(start, i));
    start = i;
  }
  return order;
}

function same(a: number, b: number, scale: number): boolean {
  return Math.floor(a / scale) === Math.floor(b / scale);
}

function sortRange(rows: Uint8Array, rowSize: number, order: Uint32Array) {
  if (order.length > INSERTION_MAX) {
    order.sort((a, b) =>
      compareKeys(rows, a * rowSize, rows, b * rowSize) || a - b
    );
    return;
  }
  for (let i = 1; i < order.length; i++) {
    const row = order[i];
    let j = i - 1;
    while (
      j >= 0 && compareKeys(rows, order[j] * rowSize, rows, row * rowSize) > 0
    ) {
      order[j + 1] = order[j];
      j--;
    }
    order[j + 1] = row;
  }
}
