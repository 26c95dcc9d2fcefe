/**
 * Rows of file metadata over one buffer, without an object for each.
 *
 * @module
 */

/** Size of a row in bytes. */
export const STAT_ROW_SIZE = 80;
/** Size of a row in elements of {@linkcode StatTable.u32}. */
export const STAT_ROW_U32 = 20;
/** Size of a row in elements of {@linkcode StatTable.f64}. */
export const STAT_ROW_F64 = 10;

/** Column of `f64`: size in bytes. */
export const STAT_SIZE = 0;
/** Column of `f64`: seconds of the modification time, negative before 1970. */
export const STAT_MTIME_SEC = 1;
/** Column of `f64`: seconds of the change time. */
export const STAT_CTIME_SEC = 2;
/** Column of `f64`: blocks of 512 bytes that are stored. */
export const STAT_BLOCKS = 3;
/** Column of `u32`: mode with type bits. */
export const STAT_MODE = 8;
/** Column of `u32`: number of hard links. */
export const STAT_NLINK = 9;
/** Column of `u32`: owner. */
export const STAT_UID = 10;
/** Column of `u32`: group. */
export const STAT_GID = 11;
/** Column of `u32`: nanoseconds of the modification time. */
export const STAT_MTIME_NS = 12;
/** Column of `u32`: nanoseconds of the change time. */
export const STAT_CTIME_NS = 13;
/** Column of `u32`: major number of the device the file lies on. */
export const STAT_DEVICE_MAJOR = 14;
/** Column of `u32`: minor number of the device the file lies on. */
export const STAT_DEVICE_MINOR = 15;
/** Column of `u32`: major number of the device the file is. */
export const STAT_RDEV_MAJOR = 16;
/** Column of `u32`: minor number of the device the file is. */
export const STAT_RDEV_MINOR = 17;
/** Column of `u32`: low half of the inode number. */
export const STAT_INODE_LOW = 18;
/** Column of `u32`: high half of the inode number. */
export const STAT_INODE_HIGH = 19;

/**
 * A table of file metadata. Loops that need every column read {@linkcode u32} and
 * {@linkcode f64} with the column numbers of this module.
 *
 * @example
 * ```ts
 * import { StatTable } from "@snap/posix/stat-table";
 * import { AT_FDCWD } from "@snap/posix/constants";
 * import { posix } from "@snap/posix";
 *
 * const table = new StatTable(1);
 * const name = new TextEncoder().encode("/\0");
 * if (posix?.statAt(AT_FDCWD, name, 0, table, 0) === 0) console.log(table.uid(0));
 * ```
 */
export class StatTable {
  /** Number of rows. */
  readonly rows: number;
  /** The memory of all rows. */
  readonly buffer: ArrayBuffer;
  /** The memory as `u32`: 20 a row. */
  readonly u32: Uint32Array<ArrayBuffer>;
  /** The memory as `f64`: 10 a row. */
  readonly f64: Float64Array<ArrayBuffer>;

  /** Makes a table of zeros. */
  constructor(rows: number) {
    const buffer = new ArrayBuffer(rows * STAT_ROW_SIZE);
    this.rows = rows;
    this.buffer = buffer;
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }

  /**
   * A table over memory that exists, for example from another thread.
   *
   * @param buffer At least 80 bytes a row.
   * @param rows Number of rows.
   * @returns The table; it shares the memory.
   * @throws {RangeError} If the buffer is too small.
   */
  static fromBuffer(buffer: ArrayBuffer, rows: number): StatTable {
    const need = rows * STAT_ROW_SIZE;
    if (buffer.byteLength < need) {
      throw new RangeError(
        `Cannot make stat table of ${buffer.byteLength} bytes: its ${rows} rows need ${need}`,
      );
    }
    const table: StatTable = Object.create(StatTable.prototype);
    return Object.assign(table, {
      rows,
      buffer,
      u32: new Uint32Array(buffer, 0, rows * STAT_ROW_U32),
      f64: new Float64Array(buffer, 0, rows * STAT_ROW_F64),
    });
  }

  /** Size of row `i` in bytes. */
  size(i: number): number {
    return this.f64[i * STAT_ROW_F64 + STAT_SIZE];
  }
  /** Seconds of the modification time of row `i`. */
  mtimeSec(i: number): number {
    return this.f64[i * STAT_ROW_F64 + STAT_MTIME_SEC];
  }
  /** Seconds of the change time of row `i`. */
  ctimeSec(i: number): number {
    return this.f64[i * STAT_ROW_F64 + STAT_CTIME_SEC];
  }
  /** Stored blocks of 512 bytes of row `i`. */
  blocks(i: number): number {
    return this.f64[i * STAT_ROW_F64 + STAT_BLOCKS];
  }
  /** Mode of row `i`, with its type bits. */
  mode(i: number): number {
    return this.u32[i * STAT_ROW_U32 + STAT_MODE];
  }
  /** Number of hard links of row `i`. */
  nlink(i: number): number {
    return this.u32[i * STAT_ROW_U32 + STAT_NLINK];
  }
  /** Owner of row `i`. */
  uid(i: number): number {
    return this.u32[i * STAT_ROW_U32 + STAT_UID];
  }
  /** Group of row `i`. */
  gid(i: number): number {
    return this.u32[i * STAT_ROW_U32 + STAT_GID];
  }
  /** Nanoseconds of the modification time of row `i`. */
  mtimeNs(i: number): number {
    return this.u32[i * STAT_ROW_U32 + STAT_MTIME_NS];
  }
  /** Nanoseconds of the change time of row `i`. */
  ctimeNs(i: number): number {
    return this.u32[i * STAT_ROW_U32 + STAT_CTIME_NS];
  }
  /** Major number of the device that row `i` lies on. */
  deviceMajor(i: number): number {
    return this.u32[i * STAT_ROW_U32 + STAT_DEVICE_MAJOR];
  }
  /** Minor number of the device that row `i` lies on. */
  deviceMinor(i: number): number {
    return this.u32[i * STAT_ROW_U32 + STAT_DEVICE_MINOR];
  }
  /** Major number of the device that row `i` is. */
  rdevMajor(i: number): number {
    return this.u32[i * STAT_ROW_U32 + STAT_RDEV_MAJOR];
  }
  /** Minor number of the device that row `i` is. */
  rdevMinor(i: number): number {
    return this.u32[i * STAT_ROW_U32 + STAT_RDEV_MINOR];
  }
  /** Low 32 bits of the inode number of row `i`. */
  inodeLow(i: number): number {
    return this.u32[i * STAT_ROW_U32 + STAT_INODE_LOW];
  }
  /** High 32 bits of the inode number of row `i`. */
  inodeHigh(i: number): number {
    return this.u32[i * STAT_ROW_U32 + STAT_INODE_HIGH];
  }

  /**
   * Copies a row.
   *
   * @param i Row of this table.
   * @param to Table to copy into; may be this one.
   * @param j Row of `to`.
   */
  copyRow(i: number, to: StatTable, j: number): void {
    const from = i * STAT_ROW_U32;
    const start = j * STAT_ROW_U32;
    for (let k = 0; k < STAT_ROW_U32; k++) {
      to.u32[start + k] = this.u32[from + k];
    }
  }

  /**
   * Whether two rows are of one file: same device, same inode.
   *
   * @param i Row of this table.
   * @param other The other table; may be this one.
   * @param j Row of `other`.
   * @returns True if so.
   */
  sameFile(i: number, other: StatTable, j: number): boolean {
    return this.inodeLow(i) === other.inodeLow(j) &&
      this.inodeHigh(i) === other.inodeHigh(j) &&
      this.deviceMinor(i) === other.deviceMinor(j) &&
      this.deviceMajor(i) === other.deviceMajor(j);
  }
}
