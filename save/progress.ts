/** How far a save is. */
export interface SaveProgress {
  /** Files of which the content is known: read, or unchanged. */
  fileCount: number;
  /** Plain bytes of those files. */
  byteCount: number;
  /** Files found so far, of which some wait. */
  foundFileCount: number;
  /** Plain bytes found so far. */
  foundByteCount: number;
  /** Files that had to be read. */
  readFileCount: number;
  /** Plain bytes that were not in the store. */
  newByteCount: number;
  /** Objects that were not in the store. */
  newObjectCount: number;
  /** Whether the walk has ended, so that what is found is all there is. */
  isWalked: boolean;
}

/**
 * Makes the counters of a save that has not begun.
 *
 * @returns All zero.
 */
export function newSaveProgress(): SaveProgress {
  return {
    fileCount: 0,
    byteCount: 0,
    foundFileCount: 0,
    foundByteCount: 0,
    readFileCount: 0,
    newByteCount: 0,
    newObjectCount: 0,
    isWalked: false,
  };
}
