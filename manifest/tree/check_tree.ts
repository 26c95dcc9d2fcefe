import { EMPTY_ID, equalIds, ID_SIZE, SAFE_HIGH_MAX } from "../bytes.ts";
import { EntryKind } from "../entry_kind.ts";
import { ManifestSyntaxError } from "../manifest_syntax_error.ts";
import { checkName, checkTarget } from "../path/safe_name.ts";

/** `TRE1` as a little-endian number. */
export const TREE_MAGIC = 0x31455254;

/** Size of a tree before its columns. */
export const TREE_HEADER_SIZE = 16;

/** Size of one row in the columns of a tree. */
export const TREE_ROW_SIZE = 45;

const EMPTY_ID_FIRST_WORD = new DataView(EMPTY_ID.buffer).getUint32(0, true);

/** Reads the number of rows. */
export function readTreeCount(view: DataView): number {
  return view.getUint32(4, true);
}

/** Reads the header of a tree, checks its sizes, and returns the number of rows. */
function checkHeader(bytes: Uint8Array, view: DataView): number {
  if (bytes.length < TREE_HEADER_SIZE) {
    throw new ManifestSyntaxError(
      `Cannot read tree as its header needs ${TREE_HEADER_SIZE} bytes: found ${bytes.length}`,
      bytes.length,
    );
  }
  if (view.getUint32(0, true) !== TREE_MAGIC) {
    throw new ManifestSyntaxError(
      "Cannot read tree as it must begin with TRE1: found others",
      0,
    );
  }
  const count = readTreeCount(view);
  const needed = TREE_HEADER_SIZE + TREE_ROW_SIZE * count +
    view.getUint32(8, true) +
    view.getUint32(12, true);
  if (needed !== bytes.length) {
    throw new ManifestSyntaxError(
      `Cannot read tree as its ${count} rows need ${needed} bytes: found ${bytes.length}`,
      Math.min(needed, bytes.length),
    );
  }
  return count;
}

/** Throws for row `row`, whose column cell is at `offset`. */
function failRow(row: number, reason: string, offset: number): never {
  throw new ManifestSyntaxError(
    `Cannot read tree as ${reason}: found row ${row}`,
    offset,
  );
}

function requireZeroId(view: DataView, row: number): void {
  const start = TREE_HEADER_SIZE + ID_SIZE * row;
  for (let at = start; at < start + ID_SIZE; at += 4) {
    if (view.getUint32(at, true) !== 0) {
      failRow(row, "only files and directories have an id", at);
    }
  }
}

/** Checks size and id of a file. */
function checkFile(
  bytes: Uint8Array,
  view: DataView,
  row: number,
  at: number,
): void {
  const high = view.getUint32(at + 4, true);
  if (high > SAFE_HIGH_MAX) failRow(row, "a size must be at most 2^53 - 1", at);
  const idStart = TREE_HEADER_SIZE + ID_SIZE * row;
  const isEmpty = high === 0 && view.getUint32(at, true) === 0;
  if (!isEmpty && view.getUint32(idStart, true) !== EMPTY_ID_FIRST_WORD) return;
  if (isEmpty !== equalIds(bytes, idStart, EMPTY_ID, 0)) {
    failRow(
      row,
      "a file has the id of nothing when its size is 0, and only then",
      idStart,
    );
  }
}

/** Checks the kinds, ids, values and targets of all rows. */
function checkValues(bytes: Uint8Array, view: DataView, count: number): void {
  const values = TREE_HEADER_SIZE + 32 * count;
  const kinds = TREE_HEADER_SIZE + 44 * count;
  const targetsSize = view.getUint32(12, true);
  const targets = bytes.length - targetsSize;
  let targetsEnd = 0;
  for (let row = 0; row < count; row++) {
    const at = values + 8 * row;
    const kind = bytes[kinds + row];
    if (kind === EntryKind.file || kind === EntryKind.executable) {
      checkFile(bytes, view, row, at);
      continue;
    }
    const low = view.getUint32(at, true);
    const high = view.getUint32(at + 4, true);
    if (kind !== EntryKind.directory) requireZeroId(view, row);
    if (kind === EntryKind.directory || kind === EntryKind.fifo) {
      if (low !== 0 || high !== 0) {
        failRow(row, "directories and fifos have the value 0", at);
      }
    } else if (kind === EntryKind.symlink) {
      if (low !== targetsEnd) {
        failRow(row, "targets must follow row order without gaps", at);
      }
      targetsEnd += high;
      if (targetsEnd > targetsSize) {
        failRow(row, "a target must lie within the targets", at + 4);
      }
      const fault = checkTarget(bytes, targets + low, targets + targetsEnd);
      if (fault !== undefined) failRow(row, fault, targets + low);
    } else if (
      kind !== EntryKind.characterDevice && kind !== EntryKind.blockDevice
    ) {
      failRow(row, "a kind must be 1 to 7", kinds + row);
    }
  }
  if (targetsEnd !== targetsSize) {
    throw new ManifestSyntaxError(
      `Cannot read tree as its links have ${targetsEnd} bytes of targets: found ${targetsSize}`,
      targets + targetsEnd,
    );
  }
}

/** Says whether the name at [start, end) is above the one at [before, start). */
function ascends(
  bytes: Uint8Array,
  before: number,
  start: number,
  end: number,
): boolean {
  let left = before;
  let right = start;
  while (left < start && right < end) {
    const difference = bytes[right++] - bytes[left++];
    if (difference !== 0) return difference > 0;
  }
  return right < end;
}

/** Checks that all names are safe and strictly ascending. */
function checkNames(bytes: Uint8Array, view: DataView, count: number): void {
  const ends = TREE_HEADER_SIZE + 40 * count;
  const names = TREE_HEADER_SIZE + TREE_ROW_SIZE * count;
  const namesSize = view.getUint32(8, true);
  let before = names;
  let start = names;
  for (let row = 0; row < count; row++) {
    const end = names + view.getUint32(ends + 4 * row, true);
    if (end < start || end - names > namesSize) {
      failRow(
        row,
        "a name must end within the names, after it begins",
        ends + 4 * row,
      );
    }
    const fault = checkName(bytes, start, end);
    if (fault !== undefined) failRow(row, fault, start);
    if (row > 0 && !ascends(bytes, before, start, end)) {
      failRow(row, "names must ascend and never repeat", start);
    }
    before = start;
    start = end;
  }
  if (start !== names + namesSize) {
    throw new ManifestSyntaxError(
      `Cannot read tree as its rows have ${
        start - names
      } bytes of names: found ${namesSize}`,
      start,
    );
  }
}

/** Throws unless the bytes are exactly one canonical tree; returns the number of rows. */
export function checkTree(bytes: Uint8Array, view: DataView): number {
  const count = checkHeader(bytes, view);
  checkValues(bytes, view, count);
  checkNames(bytes, view, count);
  return count;
}
