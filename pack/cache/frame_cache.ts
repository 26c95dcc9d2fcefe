/**
 * A cache of decoded frames that remembers which of their objects were checked.
 *
 * @module
 */

/** State of a slot of a cache. */
export const FrameState = {
  /** A place for the frame, and nothing in it yet. */
  empty: 0,
  /** A thread is decoding the frame. */
  decoding: 1,
  /** The plain bytes. */
  plain: 2,
  /** The frame could not be had; the next who asks gets another slot. */
  failed: 3,
} as const;

/** State of a slot of a cache. */
export type FrameState = (typeof FrameState)[keyof typeof FrameState];

/** An object in a frame, as an index claims it. */
export interface CachedObject {
  /** 32 bytes of its id. */
  readonly id: Uint8Array;
  /** Where it begins in the plain frame. */
  readonly offset: number;
  /** Its plain size. */
  readonly size: number;
}

/**
 * Keeps decoded frames in slots. A slot that is pinned keeps its frame.
 *
 * Who pins a slot that is not plain yet has claimed it: fills `bytes(slot)`,
 * then calls `publish(slot)`, or `fail(slot)`, and does not give up control in
 * between. Every pin is given back by `unpin(slot)`, also after a failure.
 */
export interface FrameCache {
  /**
   * Finds a frame that is there already, and pins it.
   *
   * @param key Number of the frame, at most 2^53 - 1
   * @param plainSize Plain bytes of the frame
   * @returns Its slot, or -1 where it is not there
   */
  find(key: number, plainSize: number): number;
  /**
   * Finds a frame or claims a place for it, and pins that. Where somebody else
   * is decoding it, waits for them if that is possible.
   *
   * @param key Number of the frame, at most 2^53 - 1
   * @param plainSize Plain bytes of the frame
   * @returns Its slot, or -1 where there is no place now: the caller decodes
   * into memory of its own
   */
  pin(key: number, plainSize: number): number;
  /**
   * Whether the frame is there; if not, the caller of `pin` has claimed it.
   *
   * @param slot A pinned slot
   * @returns Whether the slot holds the plain bytes
   */
  isPlain(slot: number): boolean;
  /**
   * The plain bytes, or the place for them.
   *
   * @param slot A pinned slot
   * @returns A view of exactly the plain size; do not use it after `unpin`
   */
  bytes(slot: number): Uint8Array;
  /**
   * Says that the plain bytes are in place.
   *
   * @param slot A slot that the caller has claimed
   */
  publish(slot: number): void;
  /**
   * Says that the frame could not be had.
   *
   * @param slot A slot that the caller has claimed
   */
  fail(slot: number): void;
  /**
   * Gives back a pin.
   *
   * @param slot A pinned slot
   */
  unpin(slot: number): void;
  /**
   * Whether an object was checked against its id since the frame was decoded.
   * A cache may forget that it was.
   *
   * @param slot A pinned slot that is plain
   * @param object The object, as the index claims it
   * @returns Whether these bytes are known to have this id
   */
  isChecked(slot: number, object: CachedObject): boolean;
  /**
   * Remembers that an object was checked against its id.
   *
   * @param slot A pinned slot that is plain
   * @param object The object, as the index claims it
   */
  setChecked(slot: number, object: CachedObject): void;
}
