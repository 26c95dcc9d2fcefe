import { CheckedObjects, checkedWords } from "./checked_objects.ts";

// A frame may lie in one set of slots only, found by its number: no table of
// contents, one lock a set, held for a few hundred nanoseconds.
export const WAYS = 16;
const BYTES_PER_ENTRY = 2048;

// Words of a slot. Key, size and use change under the lock of the set; the
// state by whoever has claimed the slot; pins rise under the lock. Words of a
// new buffer are zero, and mean an empty slot without a key.
export const SLOT_WORDS = 8;
export const STATE = 0;
export const PINS = 1;
export const KEY_LOW = 2;
/** Upper half of the key, plus one. */
export const KEY_HIGH = 3;
export const PLAIN_SIZE = 4;
export const USED = 5;

// Words of a set, 64 bytes apart so that two sets do not share a cache line.
export const SET_WORDS = 16;
export const LOCK = 0;
export const HAND = 1;

// Words of the head: version, number of classes, then size and number of sets
// of each class.
const HEAD_WORDS = 32;
const HEAD_VERSION = 0x7361_6301;
const CLASSES_MAX = 9;

/** Slots of one size. */
export interface SlotClass {
  readonly slotSize: number;
  readonly setCount: number;
  /** Number of the first slot. */
  readonly firstSlot: number;
  /** First word of the sets. */
  readonly setWords: number;
  readonly checked: CheckedObjects;
  /** First byte of the plain frames. */
  readonly dataStart: number;
}

/** Where everything in the buffer of a cache lies. */
export interface SlotLayout {
  readonly words: Int32Array;
  readonly classes: readonly SlotClass[];
  /** First word of the slots. */
  readonly slotWords: number;
}

/**
 * Makes the zeroed memory of a cache.
 *
 * @throws {RangeError} If the sizes are not powers of two in ascending order
 */
export function makeSlots(
  sizeMax: number,
  slotSizes: readonly number[],
): SharedArrayBuffer {
  checkSlotSizes(slotSizes);
  const head = new Int32Array(HEAD_WORDS);
  head[0] = HEAD_VERSION;
  head[1] = slotSizes.length;
  let dataSize = 0;
  slotSizes.forEach((slotSize, i) => {
    const sets = Math.floor(sizeMax / slotSizes.length / slotSize / WAYS);
    head[2 + 2 * i] = slotSize;
    head[3 + 2 * i] = Math.max(1, sets);
    dataSize += slotSize * head[3 + 2 * i] * WAYS;
  });
  const buffer = new SharedArrayBuffer(4 * wordsOf(head).end + dataSize);
  new Int32Array(buffer).set(head);
  return buffer;
}

/**
 * Finds out where everything lies: head, sets, slots, checked objects, frames.
 *
 * @throws {RangeError} If `makeSlots` did not make the buffer
 */
export function readSlots(buffer: SharedArrayBuffer): SlotLayout {
  const head = new Int32Array(buffer, 0, HEAD_WORDS);
  if (head[0] !== HEAD_VERSION) {
    throw new RangeError(
      `Cannot use memory as frame cache as it begins with ${HEAD_VERSION}: found ${
        head[0]
      }`,
    );
  }
  const { slotWords, checkedStarts, end } = wordsOf(head);
  const words = new Int32Array(buffer, 0, end);
  const classes: SlotClass[] = [];
  let setWords = HEAD_WORDS;
  let firstSlot = 0;
  let dataStart = 4 * end;
  for (let i = 0; i < head[1]; i++) {
    const slotSize = head[2 + 2 * i];
    const setCount = head[3 + 2 * i];
    const entries = words.subarray(checkedStarts[i]);
    const checked = new CheckedObjects(entries, slotSize / BYTES_PER_ENTRY);
    classes.push({
      slotSize,
      setCount,
      firstSlot,
      setWords,
      checked,
      dataStart,
    });
    setWords += SET_WORDS * setCount;
    firstSlot += WAYS * setCount;
    dataStart += slotSize * setCount * WAYS;
  }
  return { words, classes, slotWords };
}

function wordsOf(
  head: Int32Array,
): { slotWords: number; checkedStarts: number[]; end: number } {
  let setCount = 0;
  for (let i = 0; i < head[1]; i++) setCount += head[3 + 2 * i];
  const slotWords = HEAD_WORDS + SET_WORDS * setCount;
  const checkedStarts: number[] = [];
  let end = slotWords + SLOT_WORDS * WAYS * setCount;
  for (let i = 0; i < head[1]; i++) {
    const entryCount = head[2 + 2 * i] / BYTES_PER_ENTRY;
    checkedStarts.push(end);
    end += checkedWords(entryCount) * head[3 + 2 * i] * WAYS;
  }
  return { slotWords, checkedStarts, end };
}

function checkSlotSizes(sizes: readonly number[]): void {
  const good = sizes.length >= 1 && sizes.length <= CLASSES_MAX &&
    sizes.every((size, i) =>
      Number.isInteger(Math.log2(size)) && size >= 16 << 10 &&
      size <= 4 << 20 && (i === 0 || size > sizes[i - 1])
    );
  if (!good) {
    throw new RangeError(
      `Cannot make frame cache as slot sizes are ascending powers of two from 16 KiB to 4 MiB: found ${sizes}`,
    );
  }
}
