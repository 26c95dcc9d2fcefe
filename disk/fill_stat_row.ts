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
  STAT_RDEV_MAJOR,
  STAT_RDEV_MINOR,
  STAT_ROW_F64,
  STAT_ROW_U32,
  STAT_SIZE,
  STAT_UID,
  type StatTable,
} from "@snap/posix/stat-table";
import type { Stats } from "node:fs";

const TWO_8 = 0x100;
const TWO_12 = 0x1000;
const TWO_20 = 0x100000;
const TWO_32 = 0x100000000;

/** Writes what `node:fs` says of a file into a row. Times are cut to milliseconds. */
export function fillStatRow(stats: Stats, table: StatTable, row: number): void {
  const { f64, u32 } = table;
  const wide = row * STAT_ROW_F64;
  const narrow = row * STAT_ROW_U32;
  const mtimeMs = Math.floor(stats.mtimeMs);
  const ctimeMs = Math.floor(stats.ctimeMs);
  f64[wide + STAT_SIZE] = stats.size;
  f64[wide + STAT_MTIME_SEC] = Math.floor(mtimeMs / 1000);
  f64[wide + STAT_CTIME_SEC] = Math.floor(ctimeMs / 1000);
  f64[wide + STAT_BLOCKS] = stats.blocks ?? Math.ceil(stats.size / 512);
  u32[narrow + STAT_MODE] = stats.mode;
  u32[narrow + STAT_NLINK] = stats.nlink;
  u32[narrow + STAT_UID] = stats.uid;
  u32[narrow + STAT_GID] = stats.gid;
  u32[narrow + STAT_MTIME_NS] = nanoseconds(mtimeMs);
  u32[narrow + STAT_CTIME_NS] = nanoseconds(ctimeMs);
  u32[narrow + STAT_DEVICE_MAJOR] = majorOf(stats.dev);
  u32[narrow + STAT_DEVICE_MINOR] = minorOf(stats.dev);
  u32[narrow + STAT_RDEV_MAJOR] = majorOf(stats.rdev);
  u32[narrow + STAT_RDEV_MINOR] = minorOf(stats.rdev);
  u32[narrow + STAT_INODE_LOW] = stats.ino % TWO_32;
  u32[narrow + STAT_INODE_HIGH] = Math.floor(stats.ino / TWO_32);
}

/** Nanoseconds of a time, also of one before 1970. */
function nanoseconds(timeMs: number): number {
  return (timeMs - 1000 * Math.floor(timeMs / 1000)) * 1e6;
}

// makedev(3): bits 8 to 19 and 44 up are the major number, the others the minor one.

function majorOf(device: number): number {
  const high = Math.floor(device / (TWO_12 * TWO_32));
  return high * TWO_12 + Math.floor(device / TWO_8) % TWO_12;
}

function minorOf(device: number): number {
  const high = Math.floor(device / TWO_20) % (TWO_12 * TWO_12);
  return high * TWO_8 + device % TWO_8;
}
