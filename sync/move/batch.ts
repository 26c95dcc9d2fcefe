import type { FrameRows } from "@snap/pack/write";
import type { PoolJob } from "@snap/posix/worker-pool";

/** Columns of `frames`: pack, offset, stored size, plain size, codec, CRC, role, where its rows end. */
export const FRAME_COLUMNS = 8;

/** Frames to be read, and which of their objects are wanted. */
export interface FrameBatch extends PoolJob {
  readonly type: "frames";
  /** Names of packs. */
  readonly packs: readonly string[];
  /** {@linkcode FRAME_COLUMNS} numbers for each frame, ascending within a pack. */
  readonly frames: Float64Array;
  /** The objects, those of one frame side by side. */
  readonly rows: FrameRows;
}

/** A span of a large object to be read, or all of it. */
export interface LargeBatch extends PoolJob {
  readonly type: "large";
  /** 32 bytes of its id. */
  readonly id: Uint8Array;
  /** Its kind. */
  readonly kind: number;
  /** Its plain size. */
  readonly size: number;
  /** Where the span begins. */
  readonly offset: number;
  /** Plain bytes of the span. */
  readonly length: number;
  /** The root of its recipe. */
  readonly root: Uint8Array;
}

/** Work for one thread. */
export type MoveBatch = FrameBatch | LargeBatch;

/** Result of a batch. */
export interface MoveResult {
  /** The number of the batch. */
  readonly number: number;
  /** Rows of frames whose copy is damaged or gone. */
  readonly failed: readonly number[];
  /** Of a large object the id, or the chaining value of the span; none if a part could not be read. */
  readonly value?: Uint8Array;
  /** Objects that were read and are sound. */
  readonly objectCount: number;
  /** Stored bytes that were read. */
  readonly storedByteCount: number;
}
