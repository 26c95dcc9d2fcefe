/** Progress of a verify. */
export interface VerifyProgress {
  /** Stage of the work: index tables, packs, large contents, or trees. */
  phase: "index" | "packs" | "contents" | "trees";
  /** Records whose trees were checked. */
  recordCount: number;
  /** Records to check. */
  recordTotal: number;
  /** Directories that were checked. */
  treeCount: number;
  /** Objects that records reach and that were checked. */
  objectCount: number;
  /** Packs that were read. */
  packCount: number;
  /** Packs to read; 0 where only the structure is checked. */
  packTotal: number;
  /** Stored bytes that were read of packs and index tables, and plain bytes of large contents. */
  byteCount: number;
  /** Stored bytes of packs and index tables to read. */
  byteTotal: number;
  /** Damages so far. */
  damageCount: number;
}

/**
 * Makes the counters of a verify that has not begun.
 *
 * @returns All zero.
 */
export function newVerifyProgress(): VerifyProgress {
  return {
    phase: "index",
    recordCount: 0,
    recordTotal: 0,
    treeCount: 0,
    objectCount: 0,
    packCount: 0,
    packTotal: 0,
    byteCount: 0,
    byteTotal: 0,
    damageCount: 0,
  };
}
