/**
 * Decoded frames in the memory of one thread.
 *
 * @module
 */
import { CheckedObjects, checkedWords } from "./checked_objects.ts";
import {
  type CachedObject,
  type FrameCache,
  FrameState,
} from "./frame_cache.ts";

/** Budget of {@linkcode HeapFrameCache} where none is given, in bytes. */
export const HEAP_CACHE_SIZE_DEFAULT: number = 16 << 20;

/** Options of {@linkcode HeapFrameCache}. */
export interface HeapFrameCacheOptions {
  /** Most plain bytes to keep, 16 MiB where it is not given. */
  readonly sizeMax?: number;
}

/** The part of the memory for frames that were asked for once: of what streams by little is kept. */
const NEW_SHARE = 1 / 8;

/** Plain bytes for each entry of a frame's table of checked objects. */
const BYTES_PER_ENTRY = 2048;

class Frame {
  readonly key: number;
  readonly slot: number;
  readonly bytes: Uint8Array;
  readonly checked: CheckedObjects;
  state: FrameState = FrameState.empty;
  pins = 1;

  constructor(key: number, slot: number, bytes: Uint8Array) {
    const plainSize = bytes.length;
    const entries = 2 ** Math.ceil(Math.log2(8 + plainSize / BYTES_PER_ENTRY));
    this.key = key;
    this.slot = slot;
    this.bytes = bytes;
    this.checked = new CheckedObjects(
      new Int32Array(checkedWords(entries)),
      entries,
    );
  }
}

/**
 * Keeps decoded frames for one thread, at most a number of bytes. The frame
 * that was not asked for the longest goes first, and before it those of a stream,
 * which nobody asks for again.
 *
 * @example
 * ```ts
 * import { HeapFrameCache } from "@snap/pack/read";
 * import { equal } from "node:assert/strict";
 *
 * const cache = new HeapFrameCache({ sizeMax: 1 << 20 });
 * const slot = cache.pin(7, 1000);
 * cache.bytes(slot).fill(1);
 * cache.publish(slot);
 * cache.unpin(slot);
 * equal(cache.find(7, 1000), slot);
 * ```
 */
export class HeapFrameCache implements FrameCache {
  /** Most plain bytes to keep. */
  readonly sizeMax: number;
  readonly #slots: (Frame | undefined)[] = [];
  readonly #free: number[] = [];
  /** Used once so far, the oldest first: they have a part of the memory. */
  readonly #new = new Map<number, Frame>();
  /** Used again, by the time of their last use, the oldest first. */
  readonly #kept = new Map<number, Frame>();
  #size = 0;
  #newSize = 0;
  #lastKey = -1;
  /** Memory that no frame has any more; what is read once asks for as much at once. */
  #dropped: ArrayBufferLike | undefined;

  /**
   * Makes an empty cache.
   *
   * @param options Budget
   */
  constructor(options?: HeapFrameCacheOptions) {
    this.sizeMax = options?.sizeMax ?? HEAP_CACHE_SIZE_DEFAULT;
  }

  /** Plain bytes that are kept. */
  get size(): number {
    return this.#size;
  }

  find(key: number, plainSize: number): number {
    const frame = this.#new.get(key) ?? this.#kept.get(key);
    if (frame?.state !== FrameState.plain) return -1;
    if (frame.bytes.length !== plainSize) return -1;
    frame.pins++;
    // Objects of one frame, one after the other: that is one use.
    if (key === this.#lastKey) return frame.slot;
    this.#lastKey = key;
    if (this.#new.delete(key)) this.#newSize -= plainSize;
    else this.#kept.delete(key);
    this.#kept.set(key, frame);
    return frame.slot;
  }

  pin(key: number, plainSize: number): number {
    const found = this.find(key, plainSize);
    if (found >= 0 || this.#new.has(key) || this.#kept.has(key)) return found;
    if (!this.#makeRoom(plainSize)) return -1;
    const slot = this.#free.pop() ?? this.#slots.length;
    const frame = new Frame(key, slot, this.#memory(plainSize));
    this.#slots[slot] = frame;
    this.#lastKey = key;
    this.#new.set(key, frame);
    this.#size += plainSize;
    this.#newSize += plainSize;
    return slot;
  }

  isPlain(slot: number): boolean {
    return this.#frame(slot).state === FrameState.plain;
  }

  bytes(slot: number): Uint8Array {
    return this.#frame(slot).bytes;
  }

  publish(slot: number): void {
    this.#frame(slot).state = FrameState.plain;
  }

  fail(slot: number): void {
    this.#frame(slot).state = FrameState.failed;
  }

  unpin(slot: number): void {
    const frame = this.#frame(slot);
    frame.pins--;
    if (frame.pins === 0 && frame.state !== FrameState.plain) {
      this.#drop(frame);
    }
  }

  isChecked(slot: number, object: CachedObject): boolean {
    return this.#frame(slot).checked.has(0, object);
  }

  setChecked(slot: number, object: CachedObject): void {
    this.#frame(slot).checked.add(0, object);
  }

  #frame(slot: number): Frame {
    const frame = this.#slots[slot];
    if (frame === undefined || frame.pins === 0) {
      throw new RangeError(
        `Cannot use slot of frame cache as it needs to be pinned: found ${slot}`,
      );
    }
    return frame;
  }

  #makeRoom(plainSize: number): boolean {
    if (plainSize > this.sizeMax) return false;
    const newSizeMax = this.sizeMax * NEW_SHARE;
    for (const frame of this.#new.values()) {
      if (this.#newSize + plainSize <= newSizeMax) break;
      if (frame.pins === 0) this.#drop(frame);
    }
    for (const frame of this.#kept.values()) {
      if (this.#size + plainSize <= this.sizeMax) break;
      if (frame.pins === 0) this.#drop(frame);
    }
    return this.#size + plainSize <= this.sizeMax;
  }

  /** Memory for a frame: that of the one dropped last, where it fits. */
  #memory(size: number): Uint8Array {
    const dropped = this.#dropped;
    this.#dropped = undefined;
    const fits = dropped !== undefined && dropped.byteLength >= size &&
      dropped.byteLength <= 2 * size;
    return fits ? new Uint8Array(dropped, 0, size) : new Uint8Array(size);
  }

  #drop(frame: Frame): void {
    this.#dropped = frame.bytes.buffer;
    if (this.#new.delete(frame.key)) this.#newSize -= frame.bytes.length;
    else this.#kept.delete(frame.key);
    this.#slots[frame.slot] = undefined;
    this.#free.push(frame.slot);
    this.#size -= frame.bytes.length;
  }
}
