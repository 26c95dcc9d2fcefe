/** Progress of a restore. */
export interface RestoreProgress {
  /** Files that are in place: written, or as they should be already. */
  fileCount: number;
  /** Plain bytes of those files, and of large ones under way. */
  byteCount: number;
  /** Plain bytes that had to be written. */
  writtenByteCount: number;
  /** Entries found so far in the snapshot, of every kind. */
  foundEntryCount: number;
  /** Files found so far. */
  foundFileCount: number;
  /** Plain bytes found so far. */
  foundByteCount: number;
  /** Whether all of the snapshot has been looked at, so that what is found is all there is. */
  isWalked: boolean;
}

/**
 * Makes the counters of a restore that has not begun.
 *
 * @returns All zero.
 */
export function newRestoreProgress(): RestoreProgress {
  return {
    fileCount: 0,
    byteCount: 0,
    writtenByteCount: 0,
    foundEntryCount: 0,
    foundFileCount: 0,
    foundByteCount: 0,
    isWalked: false,
  };
}
