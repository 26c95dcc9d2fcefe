/**
 * Decoded frames in memory that several workers share, so that a frame which
 * all of them read is decoded once.
 *
 * @module
 */
import {
  HAND,
  KEY_HIGH,
  KEY_LOW,
  LOCK,
  makeSlots,
  PINS,
  PLAIN_SIZE,
  readSlots,
  SET_WORDS,
  SLOT_WORDS,
  type SlotClass,
  STATE,
  USED,
  WAYS,
} from "./slot_layout.ts";
import { lock, unlock } from "./word_lock.ts";
import {
  type CachedObject,
  type FrameCache,
  FrameState,
} from "./frame_cache.ts";

/** Budget of {@linkcode SharedFrameCache} where none is given, in bytes. */
export const SHARED_CACHE_SIZE_DEFAULT: number = 64 << 20;

const SLOT_SIZES_DEFAULT = [64 << 10, 128 << 10, 256 << 10, 512 << 10];

/** How long `pin` waits for another worker to decode, in milliseconds. */
export const DECODE_WAIT_MS = 1000;

/** Options of {@linkcode SharedFrameCache.create}. */
export interface SharedFrameCacheOptions {
  /**
   * Plain bytes to keep, 64 MiB where it is not given. There are at least 16
   * slots of each size, whatever the budget.
   */
  readonly sizeMax?: number;
  /**
   * Sizes of the slots, powers of two from 16 KiB to 4 MiB, ascending; each has
   * an equal part of the budget. 64 to 512 KiB where it is not given. A larger
   * frame is not kept.
   */
  readonly slotSizes?: readonly number[];
}

/**
 * Keeps decoded frames for several workers in one SharedArrayBuffer. Each makes
 * its own `SharedFrameCache` over the same buffer.
 *
 * `find`, `pin` and the rest of {@linkcode FrameCache} are for workers that may
 * wait for each other for the time of one decode. Who must never wait uses
 * `attach`, `state` and `move`, and moves a slot through the states itself.
 *
 * @example
 * ```ts
 * import { SharedFrameCache } from "@snap/pack/cache";
 * import { equal } from "node:assert/strict";
 *
 * const cache = SharedFrameCache.create({ sizeMax: 4 << 20 });
 * const slot = cache.pin(7, 1000);
 * cache.bytes(slot).fill(1);
 * cache.publish(slot);
 * cache.unpin(slot);
 *
 * const other = new SharedFrameCache(cache.buffer);
 * equal(other.find(7, 1000), slot);
 * ```
 */
export class SharedFrameCache implements FrameCache {
  /** The shared memory, to be handed to workers. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #classes: readonly SlotClass[];
  readonly #slotWords: number;

  /**
   * Makes the memory of a new cache, and a first cache over it.
   *
   * @param options Budget and sizes of the slots
   * @returns The cache
   * @throws {RangeError} If the sizes are not powers of two in ascending order
   */
  static create(options?: SharedFrameCacheOptions): SharedFrameCache {
    const buffer = makeSlots(
      options?.sizeMax ?? SHARED_CACHE_SIZE_DEFAULT,
      options?.slotSizes ?? SLOT_SIZES_DEFAULT,
    );
    return new SharedFrameCache(buffer);
  }

  /**
   * Makes a cache over memory that other threads may use too.
   *
   * @param buffer Memory of a cache that `create` has made
   * @throws {RangeError} If it is not
   */
  constructor(buffer: SharedArrayBuffer) {
    const { words, classes, slotWords } = readSlots(buffer);
    this.buffer = buffer;
    this.#words = words;
    this.#classes = classes;
    this.#slotWords = slotWords;
    this.#bytes = new Uint8Array(buffer);
  }

  /** Most plain bytes that the slots hold. */
  get sizeMax(): number {
    return this.#classes.reduce(
      (sum, one) => sum + one.slotSize * one.setCount * WAYS,
      0,
    );
  }

  find(key: number, plainSize: number): number {
    const slot = this.#pinSlot(key, plainSize, 0);
    if (slot < 0 || this.state(slot) === FrameState.plain) return slot;
    this.unpin(slot);
    return -1;
  }

  pin(key: number, plainSize: number): number {
    let slot = this.attach(key, plainSize);
    while (slot >= 0) {
      const state = this.state(slot);
      if (state === FrameState.plain) return slot;
      if (state === FrameState.failed) {
        this.unpin(slot);
        slot = this.attach(key, plainSize);
      } else if (state === FrameState.empty) {
        if (this.move(slot, state, FrameState.decoding)) return slot;
      } else if (!this.wait(slot, state, DECODE_WAIT_MS)) {
        this.unpin(slot);
        return -1;
      }
    }
    return -1;
  }

  /**
   * Finds a frame or a place for it, and pins that, without a wait. A place is
   * `empty`, and claimed by who moves it on from there. Who has claimed a slot
   * keeps a pin on it until it is `plain` or `failed`.
   *
   * @param key Number of the frame, at most 2^53 - 1
   * @param plainSize Plain bytes of the frame
   * @returns Its slot in whatever state, or -1 where there is no place now
   */
  attach(key: number, plainSize: number): number {
    return this.#pinSlot(key, plainSize, 1);
  }

  /**
   * State of a slot now.
   *
   * @param slot A pinned slot
   * @returns Its state
   */
  state(slot: number): FrameState {
    return Atomics.load(this.#words, this.#slotAt(slot) + STATE) as FrameState;
  }

  /**
   * Moves a slot on, if nobody else has, and wakes who waits for it.
   *
   * @param slot A pinned slot
   * @param from State that it must be in
   * @param to Its next state, `failed` only by `fail`
   * @returns Whether this call moved it
   */
  move(slot: number, from: FrameState, to: FrameState): boolean {
    const at = this.#slotAt(slot) + STATE;
    if (Atomics.compareExchange(this.#words, at, from, to) !== from) {
      return false;
    }
    Atomics.notify(this.#words, at);
    return true;
  }

  /**
   * Waits until a slot has left a state.
   *
   * @param slot A pinned slot
   * @param state The state
   * @param timeoutMs Longest wait in milliseconds
   * @returns Whether it has left that state
   */
  wait(slot: number, state: FrameState, timeoutMs: number): boolean {
    const at = this.#slotAt(slot) + STATE;
    return Atomics.wait(this.#words, at, state, timeoutMs) !== "timed-out";
  }

  isPlain(slot: number): boolean {
    return this.state(slot) === FrameState.plain;
  }

  bytes(slot: number): Uint8Array {
    const one = this.#classOf(slot);
    const start = one.dataStart + (slot - one.firstSlot) * one.slotSize;
    const size = this.#words[this.#slotAt(slot) + PLAIN_SIZE];
    return this.#bytes.subarray(start, start + size);
  }

  publish(slot: number): void {
    this.#setState(slot, FrameState.plain);
  }

  fail(slot: number): void {
    const one = this.#classOf(slot);
    const set = Math.floor((slot - one.firstSlot) / WAYS);
    const lockAt = one.setWords + SET_WORDS * set + LOCK;
    lock(this.#words, lockAt);
    this.#words[this.#slotAt(slot) + KEY_HIGH] = 0;
    unlock(this.#words, lockAt);
    this.#setState(slot, FrameState.failed);
  }

  unpin(slot: number): void {
    Atomics.sub(this.#words, this.#slotAt(slot) + PINS, 1);
  }

  isChecked(slot: number, object: CachedObject): boolean {
    const one = this.#classOf(slot);
    return one.checked.has(slot - one.firstSlot, object);
  }

  setChecked(slot: number, object: CachedObject): void {
    const one = this.#classOf(slot);
    one.checked.add(slot - one.firstSlot, object);
  }

  #setState(slot: number, state: FrameState): void {
    const at = this.#slotAt(slot) + STATE;
    Atomics.store(this.#words, at, state);
    Atomics.notify(this.#words, at);
  }

  #classOf(slot: number): SlotClass {
    const classes = this.#classes;
    let i = classes.length - 1;
    while (classes[i].firstSlot > slot) i--;
    return classes[i];
  }

  #slotAt(slot: number): number {
    return this.#slotWords + SLOT_WORDS * slot;
  }

  /** Pins the slot of a frame; with `places` 1 also a place for a new one. */
  #pinSlot(key: number, plainSize: number, places: 0 | 1): number {
    const classes = this.#classes;
    let number = 0;
    while (number < classes.length && classes[number].slotSize < plainSize) {
      number++;
    }
    if (number === classes.length) return -1;
    const one = classes[number];
    const low = key | 0;
    const high = Math.floor(key / 0x1_0000_0000) + 1;
    const set = key % one.setCount;
    const setAt = one.setWords + SET_WORDS * set;
    const firstSlot = one.firstSlot + set * WAYS;
    const words = this.#words;
    lock(words, setAt + LOCK);
    let slot = this.#slotOf(firstSlot, low, high);
    if (slot < 0 && places === 1) {
      slot = this.#victim(firstSlot, setAt);
      if (slot >= 0) {
        const at = this.#slotAt(slot);
        words[at + KEY_LOW] = low;
        words[at + KEY_HIGH] = high;
        words[at + PLAIN_SIZE] = plainSize;
        one.checked.clear(slot - one.firstSlot);
        Atomics.store(words, at + STATE, FrameState.empty);
      }
    }
    if (slot >= 0) {
      const at = this.#slotAt(slot);
      words[at + USED] = 1;
      Atomics.add(words, at + PINS, 1);
    }
    unlock(words, setAt + LOCK);
    if (slot >= 0 && words[this.#slotAt(slot) + PLAIN_SIZE] !== plainSize) {
      this.unpin(slot);
      return -1;
    }
    return slot;
  }

  #slotOf(firstSlot: number, low: number, high: number): number {
    const words = this.#words;
    for (let slot = firstSlot; slot < firstSlot + WAYS; slot++) {
      const at = this.#slotAt(slot);
      if (words[at + KEY_LOW] === low && words[at + KEY_HIGH] === high) {
        return slot;
      }
    }
    return -1;
  }

  /** Goes round the set, passing once what was used since the last round. */
  #victim(firstSlot: number, setAt: number): number {
    const words = this.#words;
    for (let step = 0; step < 2 * WAYS; step++) {
      const hand = words[setAt + HAND];
      words[setAt + HAND] = (hand + 1) % WAYS;
      const at = this.#slotAt(firstSlot + hand);
      if (Atomics.load(words, at + PINS) !== 0) continue;
      if (words[at + USED] === 0) return firstSlot + hand;
      words[at + USED] = 0;
    }
    return -1;
  }
}
