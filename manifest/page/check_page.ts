import { SAFE_HIGH_MAX } from "../bytes.ts";
import { checkExtras } from "../extras/check_extras.ts";
import { OwnerTable } from "./owner_table.ts";
import {
  OWNER_SIZE,
  PAGE_HEADER_SIZE,
  PAGE_MAGIC,
  type PageCounts,
  PageLayout,
} from "./page_layout.ts";
import { MODE_MAX } from "../limits.ts";
import { ManifestSyntaxError } from "../manifest_syntax_error.ts";

const NS_MAX = 999_999_999;

function fail(reason: string, offset: number): never {
  throw new ManifestSyntaxError(
    `Cannot read attribute page as ${reason}`,
    offset,
  );
}

function failRow(row: number, reason: string, offset: number): never {
  fail(`${reason}: found row ${row}`, offset);
}

export function readCounts(view: DataView): PageCounts {
  return {
    rows: view.getUint32(4, true),
    directories: view.getUint32(8, true),
    owners: view.getUint32(12, true),
    ownerNamesSize: view.getUint32(16, true),
    extraRows: view.getUint32(20, true),
    extrasSize: view.getUint32(24, true),
  };
}

/** Reads the counts and checks them against each other; nothing is allocated by them. */
export function checkCounts(bytes: Uint8Array, view: DataView): PageCounts {
  if (bytes.length < PAGE_HEADER_SIZE) {
    fail(
      `its header needs ${PAGE_HEADER_SIZE} bytes: found ${bytes.length}`,
      bytes.length,
    );
  }
  if (view.getUint32(0, true) !== PAGE_MAGIC) {
    fail("it must begin with ATT1: found others", 0);
  }
  const counts = readCounts(view);
  const { rows, directories, owners, extraRows } = counts;
  if (view.getUint32(28, true) !== 0) fail("its reserved bytes must be 0", 28);
  if (rows < 1) {
    fail("it must have a row for the directory itself: found none", 4);
  }
  if (directories >= rows) {
    fail(
      `its ${rows} rows leave room for ${
        rows - 1
      } sub-directories: found ${directories}`,
      8,
    );
  }
  if (owners > rows) {
    fail(`its ${rows} rows have at most as many owners: found ${owners}`, 12);
  }
  if (extraRows > rows) {
    fail(
      `its ${rows} rows have at most as many extras: found ${extraRows}`,
      20,
    );
  }
  return counts;
}

function checkSeconds(view: DataView, at: number, row: number): void {
  const high = view.getInt32(at + 4, true);
  if (
    high > SAFE_HIGH_MAX || high < -SAFE_HIGH_MAX - 1 ||
    (high === -SAFE_HIGH_MAX - 1 && view.getUint32(at, true) === 0)
  ) {
    failRow(row, "a time must be within 2^53 - 1 seconds of 1970", at);
  }
}

/** Checks the columns of numbers. */
function checkRows(
  view: DataView,
  layout: PageLayout,
  counts: PageCounts,
): void {
  let owners = 0;
  for (let row = 0; row < counts.rows; row++) {
    checkSeconds(view, layout.mtimeSec + 8 * row, row);
    checkSeconds(view, layout.ctimeSec + 8 * row, row);
    if (view.getUint32(layout.mtimeNs + 4 * row, true) > NS_MAX) {
      failRow(row, "nanoseconds must be below 10^9", layout.mtimeNs + 4 * row);
    }
    if (view.getUint32(layout.ctimeNs + 4 * row, true) > NS_MAX) {
      failRow(row, "nanoseconds must be below 10^9", layout.ctimeNs + 4 * row);
    }
    const owner = view.getUint32(layout.owner + 4 * row, true);
    if (owner >= owners) {
      if (owner !== owners || owner === counts.owners) {
        failRow(
          row,
          "owners must be in the order of their first row",
          layout.owner + 4 * row,
        );
      }
      owners++;
    }
    if (view.getUint16(layout.mode + 2 * row, true) > MODE_MAX) {
      failRow(row, "a mode must have 12 bits", layout.mode + 2 * row);
    }
  }
  if (owners !== counts.owners) {
    fail(
      `its rows have ${owners} owners: found ${counts.owners}`,
      layout.owners,
    );
  }
}

/** Checks that owners name runs of bytes one after the other, and that none repeats. */
function checkOwners(
  bytes: Uint8Array,
  view: DataView,
  layout: PageLayout,
  counts: PageCounts,
): void {
  const table = counts.owners > 1 ? new OwnerTable() : undefined;
  const names = layout.ownerNames;
  let end = 0;
  for (let owner = 0; owner < counts.owners; owner++) {
    const at = layout.owners + OWNER_SIZE * owner;
    const userEnd = view.getUint32(at + 8, true);
    const groupEnd = view.getUint32(at + 12, true);
    if (
      userEnd < end || groupEnd < userEnd || groupEnd > counts.ownerNamesSize
    ) {
      fail(
        `names of owners must follow each other: found owner ${owner}`,
        at + 8,
      );
    }
    if (table !== undefined) {
      const user = bytes.subarray(names + end, names + userEnd);
      const group = bytes.subarray(names + userEnd, names + groupEnd);
      const number = table.intern(
        view.getUint32(at, true),
        view.getUint32(at + 4, true),
        user,
        group,
      );
      if (number !== owner) {
        fail(`no owner may repeat: found owner ${owner}`, at);
      }
    }
    end = groupEnd;
  }
  if (end !== counts.ownerNamesSize) {
    fail(
      `its owners have ${end} bytes of names: found ${counts.ownerNamesSize}`,
      names + end,
    );
  }
}

/** Checks which rows have extras, and the items of each. */
function checkAllExtras(
  bytes: Uint8Array,
  view: DataView,
  layout: PageLayout,
  counts: PageCounts,
): void {
  let rowBefore = -1;
  let start = 0;
  for (let number = 0; number < counts.extraRows; number++) {
    const rowAt = layout.extraRows + 4 * number;
    const row = view.getUint32(rowAt, true);
    if (row <= rowBefore || row >= counts.rows) {
      failRow(
        row,
        "rows with extras must ascend and be rows of the page",
        rowAt,
      );
    }
    const endAt = layout.extraEnds + 4 * number;
    const end = view.getUint32(endAt, true);
    if (end < start || end > counts.extrasSize) {
      failRow(
        row,
        "extras must end within the extras, after they begin",
        endAt,
      );
    }
    checkExtras(bytes, layout.extras + start, layout.extras + end);
    rowBefore = row;
    start = end;
  }
  if (start !== counts.extrasSize) {
    fail(
      `its rows have ${start} bytes of extras: found ${counts.extrasSize}`,
      layout.extras + start,
    );
  }
}

/** Throws unless the bytes are exactly one canonical page; returns where its columns are. */
export function checkPage(
  bytes: Uint8Array,
  view: DataView,
  counts: PageCounts,
): PageLayout {
  const layout = new PageLayout(counts);
  if (layout.size !== bytes.length) {
    fail(
      `its ${counts.rows} rows need ${layout.size} bytes: found ${bytes.length}`,
      Math.min(layout.size, bytes.length),
    );
  }
  checkRows(view, layout, counts);
  checkOwners(bytes, view, layout, counts);
  checkAllExtras(bytes, view, layout, counts);
  return layout;
}
