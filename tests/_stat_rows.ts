// Rows of a stat table, by name.
import {
  STAT_BLOCKS,
  STAT_CTIME_NS,
  STAT_CTIME_SEC,
  STAT_DEVICE_MAJOR,
  STAT_DEVICE_MINOR,
  STAT_GID,
  STAT_INODE_HIGH,
  STAT_INODE_LOW,
  STAT_MODE,
  STAT_MTIME_NS,
  STAT_MTIME_SEC,
  STAT_NLINK,
  STAT_ROW_F64,
  STAT_ROW_U32,
  STAT_SIZE,
  STAT_UID,
  StatTable,
} from "@snap/posix/stat-table";

/** What a row may say; the rest is 0. */
export interface StatRow {
  readonly size?: number;
  readonly blocks?: number;
  readonly mtime?: readonly [sec: number, ns: number];
  readonly ctime?: readonly [sec: number, ns: number];
  readonly mode?: number;
  readonly nlink?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly device?: readonly [major: number, minor: number];
  readonly inode?: readonly [low: number, high: number];
}

/** Makes a table of rows. */
export function statTable(...rows: readonly StatRow[]): StatTable {
  const table = new StatTable(rows.length);
  rows.forEach((row, i) => {
    const f64 = (column: number, value = 0): void => {
      table.f64[i * STAT_ROW_F64 + column] = value;
    };
    const u32 = (column: number, value = 0): void => {
      table.u32[i * STAT_ROW_U32 + column] = value;
    };
    f64(STAT_SIZE, row.size);
    f64(STAT_BLOCKS, row.blocks);
    f64(STAT_MTIME_SEC, row.mtime?.[0]);
    u32(STAT_MTIME_NS, row.mtime?.[1]);
    f64(STAT_CTIME_SEC, row.ctime?.[0]);
    u32(STAT_CTIME_NS, row.ctime?.[1]);
    u32(STAT_MODE, row.mode);
    u32(STAT_NLINK, row.nlink);
    u32(STAT_UID, row.uid);
    u32(STAT_GID, row.gid);
    u32(STAT_DEVICE_MAJOR, row.device?.[0]);
    u32(STAT_DEVICE_MINOR, row.device?.[1]);
    u32(STAT_INODE_LOW, row.inode?.[0]);
    u32(STAT_INODE_HIGH, row.inode?.[1]);
  });
  return table;
}
