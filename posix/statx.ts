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
} from "./stat_table.ts";

/** STATX_BASIC_STATS: what stat(2) gives. */
export const STATX_BASIC_STATS = 0x7ff;
/** AT_NO_AUTOMOUNT: looking mounts nothing. */
export const AT_NO_AUTOMOUNT = 0x800;

const TWO_32 = 4294967296;

/** Room for one `struct statx`, the same on every 64-bit little-endian Linux. */
export class StatxBuffer {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  readonly #u32 = new Uint32Array(this.bytes.buffer);
  readonly #i32 = new Int32Array(this.bytes.buffer);

  /** Copies what the kernel wrote into a row. */
  copyTo(table: StatTable, row: number): void {
    const from = this.#u32;
    const f64 = table.f64;
    const u32 = table.u32;
    const wide = row * STAT_ROW_F64;
    const narrow = row * STAT_ROW_U32;
    f64[wide + STAT_SIZE] = from[11] * TWO_32 + from[10];
    f64[wide + STAT_BLOCKS] = from[13] * TWO_32 + from[12];
    f64[wide + STAT_CTIME_SEC] = this.#i32[25] * TWO_32 + from[24];
    f64[wide + STAT_MTIME_SEC] = this.#i32[29] * TWO_32 + from[28];
    u32[narrow + STAT_MODE] = from[7] & 0xffff;
    u32[narrow + STAT_NLINK] = from[4];
    u32[narrow + STAT_UID] = from[5];
    u32[narrow + STAT_GID] = from[6];
    u32[narrow + STAT_CTIME_NS] = from[26];
    u32[narrow + STAT_MTIME_NS] = from[30];
    u32[narrow + STAT_INODE_LOW] = from[8];
    u32[narrow + STAT_INODE_HIGH] = from[9];
    u32[narrow + STAT_RDEV_MAJOR] = from[32];
    u32[narrow + STAT_RDEV_MINOR] = from[33];
    u32[narrow + STAT_DEVICE_MAJOR] = from[34];
    u32[narrow + STAT_DEVICE_MINOR] = from[35];
  }
}
