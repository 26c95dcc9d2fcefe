import { joinPath } from "@snap/manifest/path";
import type { FileExtras, RestoreBatch } from "../messages.ts";

/**
 * The path of the directory of a file of a batch.
 *
 * @returns A view.
 */
export function directoryOf(batch: RestoreBatch, row: number): Uint8Array {
  const { paths, pathEnds, directories } = batch;
  const number = directories[row];
  return paths.subarray(
    number === 0 ? 0 : pathEnds[number - 1],
    pathEnds[number],
  );
}

/**
 * The name of a file of a batch.
 *
 * @returns A view.
 */
export function nameOf(batch: RestoreBatch, row: number): Uint8Array {
  const { names, nameEnds } = batch;
  return names.subarray(row === 0 ? 0 : nameEnds[row - 1], nameEnds[row]);
}

/** The path of a file of a batch. */
export function pathOf(batch: RestoreBatch, row: number): Uint8Array {
  return joinPath(directoryOf(batch, row), nameOf(batch, row));
}

/**
 * The extended attributes of a file of a batch.
 *
 * @returns The attributes, if it has extras.
 */
export function xattrsOf(
  batch: RestoreBatch,
  row: number,
): FileExtras["xattrs"] | undefined {
  let low = 0, high = batch.extras.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (batch.extras[middle][0] < row) low = middle + 1;
    else high = middle;
  }
  const found = batch.extras[low];
  return found?.[0] === row ? found[1].xattrs : undefined;
}
