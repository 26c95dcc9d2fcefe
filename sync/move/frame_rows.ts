import { ID_SIZE } from "@snap/hash";
import type { FrameRows } from "@snap/pack/write";

/** Some rows that stand side by side. */
export function sliceRows(
  rows: FrameRows,
  first: number,
  end: number,
): FrameRows {
  return {
    count: end - first,
    ids: rows.ids.subarray(ID_SIZE * first, ID_SIZE * end),
    kinds: rows.kinds.subarray(first, end),
    offsets: rows.offsets.subarray(first, end),
    sizes: rows.sizes.subarray(first, end),
  };
}

/** All rows but some. */
export function rowsWithout(
  rows: FrameRows,
  failed: readonly number[],
): FrameRows {
  const left = Array.from({ length: rows.count }, (_, row) => row)
    .filter((row) => !failed.includes(row));
  const ids = new Uint8Array(ID_SIZE * left.length);
  left.forEach((row, i) =>
    ids.set(
      rows.ids.subarray(ID_SIZE * row, ID_SIZE * row + ID_SIZE),
      ID_SIZE * i,
    )
  );
  return {
    count: left.length,
    ids,
    kinds: Uint8Array.from(left, (row) => rows.kinds[row]),
    offsets: Uint32Array.from(left, (row) => rows.offsets[row]),
    sizes: Uint32Array.from(left, (row) => rows.sizes[row]),
  };
}
