import type { NodeCursor } from "./node_cursor.ts";

const HIGH_BIT = 0x8000_0000;
/** Stands for the device of entries whose inode number is not known. */
const NO_DEVICE = 0x1_0000;
/** Factors of the two halves: with one factor their collisions would go together. */
const LOW_FACTOR = 0xcc9e_2d51;
const HIGH_FACTOR = 0x239b_961b;

/**
 * Lower half, unsigned, of the inode number to show for an entry: that of the file system it was
 * saved from where this is the root's, and a mount of one snapshot; else one that is equal for the
 * hard links of a file, and for nothing else.
 */
export function inodeLowOf(cursor: NodeCursor): number {
  return isOriginal(cursor)
    ? cursor.page.inodeLow(cursor.row + 1)
    : mixed(cursor, LOW_FACTOR);
}

/** Upper half of {@linkcode inodeLowOf}, unsigned. */
export function inodeHighOf(cursor: NodeCursor): number {
  return isOriginal(cursor)
    ? cursor.page.inodeHigh(cursor.row + 1)
    : (mixed(cursor, HIGH_FACTOR) | HIGH_BIT) >>> 0;
}

function isOriginal({ page, row, volume }: NodeCursor): boolean {
  return volume === 0 && page.device(row + 1) === 0 && isKnown(page, row + 1);
}

function isKnown(page: NodeCursor["page"], row: number): boolean {
  return page.inodeLow(row) !== 0 || page.inodeHigh(row) !== 0;
}

/**
 * 32 bits of where a file was: its volume, device and inode number. Two hashes of
 * it tell more files apart than the bits of 64 that are left for each of the three.
 */
function mixed(cursor: NodeCursor, factor: number): number {
  const { page, volume, id } = cursor;
  const row = cursor.row + 1;
  let hash = mix(factor, volume | 0, factor);
  hash = mix(hash, Math.floor(volume / 0x1_0000_0000), factor);
  if (isKnown(page, row)) {
    hash = mix(hash, page.device(row), factor);
    hash = mix(hash, page.inodeLow(row), factor);
    return finish(mix(hash, page.inodeHigh(row), factor));
  }
  return finish(mix(mix(hash, NO_DEVICE, factor), id, factor));
}

/** One step of MurmurHash3. */
function mix(hash: number, word: number, factor: number): number {
  const one = Math.imul(word, factor);
  const two = hash ^ Math.imul(one << 15 | one >>> 17, 0x1b87_3593);
  return (Math.imul(two << 13 | two >>> 19, 5) + 0xe654_6b64) | 0;
}

/** The last step of MurmurHash3. */
function finish(hash: number): number {
  let x = hash;
  x = Math.imul(x ^ x >>> 16, 0x85eb_ca6b);
  x = Math.imul(x ^ x >>> 13, 0xc2b2_ae35);
  return (x ^ x >>> 16) >>> 0;
}
