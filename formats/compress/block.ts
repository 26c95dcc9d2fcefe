/** Ways of compression. */
export type Compression = "gzip" | "zstd";

/** Plain bytes that are compressed as one. */
export const BLOCK_SIZE: number = 4 * 1024 * 1024;
/** Room for a block, also where it becomes larger. */
export const BLOCK_ROOM: number = BLOCK_SIZE + 64 * 1024;

/** A block, as it is posted. */
export interface PlainBlock {
  /** Its number, unlike that of any other. */
  readonly number: number;
  readonly compression: Compression;
  /** Shared memory that holds it, with room for what becomes of it. */
  readonly memory: SharedArrayBuffer;
  /** Where it begins in that. */
  readonly start: number;
  /** Its bytes. */
  readonly length: number;
}

/** What became of a block. */
export interface CompressedBlock {
  readonly number: number;
  /** Bytes that stand in its place: a member of its own, in the format. */
  readonly length: number;
}
