/** Counters of the use of a cache, to be read at any time. */
export class CacheFigures {
  /** Reads that no request was made for. */
  hits = 0;
  /** Reads of files of the kind that is kept which needed a request. */
  misses = 0;
  /** Bytes that were read from the cache. */
  bytesHit = 0;
  /** Bytes that were read from the store. */
  bytesMissed = 0;
  /** Bytes that were put into the cache. */
  bytesKept = 0;
  /** Bytes of disk that were freed as there was no room. */
  bytesEvicted = 0;
  /** Files that were dropped as they were damaged. */
  dropped = 0;
  /** Why nothing is kept any more, if that is so: the disk is full, or refuses. */
  failure: unknown = undefined;
}
