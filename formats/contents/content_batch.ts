import type { ViewEntry } from "@snap/snapshot/view";

/** Most bytes of a batch, and of one piece. */
export const BATCH_SIZE: number = 4 << 20;
/** Most pieces of a batch. */
export const BATCH_COUNT = 256;

/** A run of bytes of one file. */
export interface ContentPiece {
  /** The file. */
  readonly entry: ViewEntry;
  /** Where it begins in the content. */
  readonly offset: number;
  /** Its bytes, at least 1. */
  readonly length: number;
}

/** Pieces that are read together, as they are posted: a row for each. */
export interface ContentBatch {
  /** Its number, unlike that of any other. */
  readonly number: number;
  /** Ids of the contents, 32 bytes each. */
  readonly ids: Uint8Array;
  /** Sizes of the whole contents. */
  readonly sizes: Float64Array;
  /** Where the pieces begin in the contents. */
  readonly offsets: Float64Array;
  /** Bytes of the pieces. */
  readonly lengths: Uint32Array;
  /** Shared memory for the pieces, one after the other. */
  readonly memory: SharedArrayBuffer;
  /** Where they begin in it. */
  readonly start: number;
}

/** What became of a batch. */
export interface ContentBatchResult {
  readonly number: number;
  /** Rows that could not be read, ascending: they are read again by a thread that may wait. */
  readonly failed: readonly number[];
}
