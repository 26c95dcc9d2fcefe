import assert from "node:assert/strict";
import {
  STAT_ROW_F64,
  STAT_ROW_SIZE,
  STAT_ROW_U32,
  StatTable,
} from "./stat_table.ts";

/** A table in which every cell of a row has its own value. */
function numbered(rows: number): StatTable {
  const table = new StatTable(rows);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < 4; i++) {
      table.f64[row * STAT_ROW_F64 + i] = row * 100 - i - 0.5;
    }
    for (let i = 8; i < 20; i++) {
      table.u32[row * STAT_ROW_U32 + i] = row * 100 + i;
    }
  }
  return table;
}

function cells(table: StatTable, i: number): number[] {
  return [
    ...[table.size(i), table.mtimeSec(i), table.ctimeSec(i), table.blocks(i)],
    ...[table.mode(i), table.nlink(i), table.uid(i), table.gid(i)],
    ...[
      table.mtimeNs(i),
      table.ctimeNs(i),
      table.deviceMajor(i),
      table.deviceMinor(i),
    ],
    ...[
      table.rdevMajor(i),
      table.rdevMinor(i),
      table.inodeLow(i),
      table.inodeHigh(i),
    ],
  ];
}

Deno.test("StatTable has sixteen columns that do not overlap", () => {
  const want = [199.5, 198.5, 197.5, 196.5];
  for (let i = 8; i < 20; i++) want.push(200 + i);
  assert.deepEqual(cells(numbered(3), 2), want);
});

Deno.test("StatTable copies a row", () => {
  const from = numbered(3);
  const to = new StatTable(2);
  from.copyRow(2, to, 1);
  assert.deepEqual(cells(to, 1), cells(from, 2));
  assert.deepEqual(cells(to, 0), new Array(16).fill(0));
});

Deno.test("StatTable tells one file by device and inode", () => {
  const table = numbered(1);
  assert(table.sameFile(0, table, 0));
  for (const column of [14, 15, 18, 19]) {
    const other = numbered(1);
    other.u32[column]++;
    assert(!table.sameFile(0, other, 0));
  }
  const touched = numbered(1);
  touched.f64[1]++;
  assert(table.sameFile(0, touched, 0));
});

Deno.test("StatTable shares a buffer", () => {
  const table = numbered(2);
  const same = StatTable.fromBuffer(table.buffer, 1);
  assert(same instanceof StatTable);
  assert.equal(same.rows, 1);
  assert.equal(same.u32.length, STAT_ROW_U32);
  same.u32[8] = 77;
  assert.equal(table.mode(0), 77);
  assert.throws(
    () => StatTable.fromBuffer(new ArrayBuffer(2 * STAT_ROW_SIZE - 1), 2),
    {
      name: "RangeError",
      message: "Cannot make stat table of 159 bytes: its 2 rows need 160",
    },
  );
});
