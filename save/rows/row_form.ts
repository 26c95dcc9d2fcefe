import {
  STAT_CTIME_NS,
  STAT_INODE_LOW,
  STAT_MODE,
  STAT_ROW_U32,
  type StatTable,
} from "@snap/posix/stat-table";

/**
 * The form of a file of rows, in words of 32 bits of this machine: magic; directories
 * in the order of a walk; what they were seen for, as JSON; its hash and size.
 *
 * A directory is a head and its own row, then for each entry, in the order of names, a
 * head, a row, and the name padded to whole words; then a head of 0. A directory that
 * could not be opened is a head of 0 alone. All directories among the entries follow.
 *
 * @module
 */
export const MAGIC: Uint8Array = new TextEncoder().encode("snapROW1");

/** Bytes behind the JSON: its hash, then its size. */
export const TAIL_SIZE = 36;

/** Words of a row. */
export const ROW_WORDS = 16;

/** The word of a row that has the mode. */
export const ROW_MODE = 6;

/** Bytes of the longest name. */
export const NAME_MAX = 0xff;

/** Bit of a head: the times of the entry do not prove that it is the same. */
export const DOUBTFUL: number = 1 << 16;

/** Bit of a head of a directory that was opened. */
export const OPENED: number = 1 << 17;

/** Bytes of an entry at most. */
export const ENTRY_SIZE_MAX: number = 4 + 4 * ROW_WORDS + NAME_MAX + 1;

/** Words of a stat before those of its blocks, which change with no change of the content. */
const WIDE_WORDS = 6;
/** Words from the mode on, before the numbers of a device file. */
const NARROW_WORDS = 8;

/**
 * Copies what tells whether an entry has changed: all but its blocks, and the numbers
 * of a device file, which has the same ones for ever.
 */
export function copyRow(
  stats: StatTable,
  row: number,
  to: Uint32Array,
  at: number,
): void {
  const from = stats.u32, start = STAT_ROW_U32 * row;
  for (let i = 0; i < WIDE_WORDS; i++) to[at++] = from[start + i];
  for (let i = 0; i < NARROW_WORDS; i++) to[at++] = from[start + STAT_MODE + i];
  to[at++] = from[start + STAT_INODE_LOW];
  to[at] = from[start + STAT_INODE_LOW + 1];
}

/** Tells whether an entry is what it was. Times differ most often, and are compared first. */
export function isSameRow(
  stats: StatTable,
  row: number,
  other: Uint32Array,
  at: number,
): boolean {
  const own = stats.u32, start = STAT_ROW_U32 * row;
  const ctime = WIDE_WORDS + STAT_CTIME_NS - STAT_MODE;
  if (own[start + STAT_CTIME_NS] !== other[at + ctime]) return false;
  for (let i = 0; i < WIDE_WORDS; i++) {
    if (own[start + i] !== other[at++]) return false;
  }
  for (let i = 0; i < NARROW_WORDS; i++) {
    if (own[start + STAT_MODE + i] !== other[at++]) return false;
  }
  return own[start + STAT_INODE_LOW] === other[at] &&
    own[start + STAT_INODE_LOW + 1] === other[at + 1];
}
