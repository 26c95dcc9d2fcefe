import { NotFoundError, StoreError } from "@snap/store";
import { BLOCK_SIZE, blocksOf, type FetchMemory } from "./fetch_memory.ts";
import type { Ranges } from "./ranges.ts";

/** A block that a worker asks of main. */
export interface FetchWant {
  /** The number under which main answers. */
  readonly number: number;
  /** A file of the store. */
  readonly name: string;
  /** Which block of it. */
  readonly block: number;
  /** Size of the file, where it is known. */
  readonly fileSize: number | undefined;
  /** Whether it is to come from the store itself and no copy. */
  readonly isFresh: boolean;
}

/** A block of a file. */
type BlockPlace = Pick<FetchWant, "name" | "block" | "fileSize">;

/**
 * A failed read as a worker learns of it: a code of the store, or that the file is
 * absent. It takes `EIO` and `SHORT` for damage, and asks no more for what it has another
 * way to; other codes are told as the first.
 */
const FAILURES = ["EPROTO", "ENOENT", "EIO", "SHORT", "ETIMEDOUT", "EACCES"];

/**
 * Makes the answer to a question whose read has failed.
 *
 * @param error What the store threw.
 * @returns A negative number.
 */
export function failureAnswer(error: unknown): number {
  const code = error instanceof NotFoundError
    ? "ENOENT"
    : (error as { readonly code?: unknown }).code;
  return -1 - Math.max(0, FAILURES.findIndex((known) => known === code));
}

/** Answers that a worker can wait for at once. */
const ANSWERS = 1 << 14;
/** Blocks known of, below which none is forgotten. */
const KNOWN_MAX = 1024;

interface Block {
  readonly key: string;
  /** The number of the question while the block is on its way, else 0. */
  number: number;
  /** The stamp in memory; 0 while it is not there. */
  stamp: number;
  /** The number of a failure in {@linkcode FAILURES}; -1 where the read has not failed. */
  failure: number;
  /** Whether it was, or is to be, asked of the store itself and no copy. */
  isFresh: boolean;
}

/** Blocks on their way at which nothing is read ahead. */
const AHEAD_MAX = 128;

/** The words in which main answers a worker: 0, or a stamp, or a failure below 0. */
export class FetchAnswers {
  /** The shared memory. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  /**
   * Makes the words, or a view of them.
   *
   * @param buffer Memory of another one; new memory if left out.
   */
  constructor(
    buffer: SharedArrayBuffer = new SharedArrayBuffer((ANSWERS + 1) * 4),
  ) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** The answer to a number, 0 if there is none yet. */
  get(number: number): number {
    return Atomics.load(this.#words, number % ANSWERS);
  }

  /** Answers a number; with 0, makes it ready for a question. */
  set(number: number, answer: number): void {
    Atomics.store(this.#words, number % ANSWERS, answer);
  }

  /** How often the worker was woken. */
  get wakeCount(): number {
    return Atomics.load(this.#words, ANSWERS);
  }

  /** Wakes the worker, if it sleeps. */
  wake(): void {
    Atomics.add(this.#words, ANSWERS, 1);
    Atomics.notify(this.#words, ANSWERS);
  }

  /** Sleeps until the worker is woken once more; no other work of its thread goes on. */
  sleep(wakeCount: number): void {
    Atomics.wait(this.#words, ANSWERS, wakeCount);
  }
}

/** The parts that {@linkcode FetchedRanges} is made of. */
export interface FetchedRangesParts {
  /** Memory that holds blocks. */
  readonly memory: FetchMemory;
  /** Words in which main answers this worker. */
  readonly answers: FetchAnswers;
  /** Asks main for blocks. */
  readonly ask: (wants: FetchWant[]) => void;
}

/** The worker's side of fetching: bytes of a store that main reads in blocks. */
export class FetchedRanges implements Ranges {
  readonly #parts: FetchedRangesParts;
  readonly #blocks = new Map<string, Block>();
  /** Blocks on their way, by number. */
  readonly #asked = new Map<number, Block>();
  readonly #wanted: number[] = [];
  #wants: FetchWant[] = [];
  #failed: Block[] = [];
  #numberNext = 1;
  /** Number of known blocks at which those that are gone are swept. */
  #sweepAt = KNOWN_MAX;
  readonly #room = new Room();

  /** Asks for nothing yet. */
  constructor(parts: FetchedRangesParts) {
    this.#parts = parts;
  }

  take(
    name: string,
    offset: number,
    length: number,
    fileSize?: number,
  ): Uint8Array | undefined {
    return this.#take(this.#room, { name, offset, length, fileSize });
  }

  /** The same ranges with room of their own: what they give stays while others are taken here. */
  apart(): Ranges {
    const { wanted } = this;
    const room = new Room();
    return {
      wanted,
      take: (name, offset, length, fileSize) =>
        this.#take(room, { name, offset, length, fileSize }),
      hint: (name, offset, length) => this.hint(name, offset, length),
      distrust: (name, offset, length) => this.distrust(name, offset, length),
      forgetWanted: () => this.forgetWanted(),
    };
  }

  hint(name: string, offset: number, length: number): void {
    for (const block of blocksOf(offset, length)) {
      if (this.#asked.size >= AHEAD_MAX) return;
      const key = keyOf(name, block);
      const known = this.#blocks.get(key) ?? this.#add(key);
      const isThere = known.number !== 0 || known.failure >= 0 ||
        known.stamp !== 0 && this.#parts.memory.has(known.stamp);
      if (!isThere) this.#ask(known, { name, block, fileSize: undefined });
    }
  }

  distrust(name: string, offset: number, length: number): boolean {
    let isAny = false;
    for (const block of blocksOf(offset, length)) {
      const known = this.#blocks.get(keyOf(name, block));
      if (known === undefined || known.isFresh) continue;
      known.stamp = 0;
      known.isFresh = true;
      isAny = true;
    }
    return isAny;
  }

  get wanted(): readonly number[] {
    return this.#wanted;
  }

  forgetWanted(): void {
    this.#wanted.length = 0;
  }

  /** Whether the block of a number is still on its way. */
  isWaiting(number: number): boolean {
    return this.#asked.has(number);
  }

  /** Asks main for the blocks that `take` found missing. */
  flush(): void {
    if (this.#wants.length === 0) return;
    this.#parts.ask(this.#wants);
    this.#wants = [];
  }

  /**
   * Takes the answers that came. What could not be had is thrown by `take` until
   * {@linkcode forgetFailures}.
   */
  settle(): boolean {
    if (this.#asked.size === 0) return false;
    let isAny = false;
    for (const [number, block] of this.#asked) {
      const answer = this.#parts.answers.get(number);
      if (answer === 0) continue;
      isAny = true;
      this.#asked.delete(number);
      block.number = 0;
      if (answer > 0) block.stamp = answer;
      else {
        block.failure = -1 - answer;
        this.#failed.push(block);
      }
    }
    return isAny;
  }

  /**
   * Asks main for what is missing, and sleeps until some of it has come. What has failed before
   * may be asked for again.
   *
   * @param isOver Whether to wait no more; looked at each time the worker is woken.
   */
  sleep(isOver: () => boolean): void {
    this.forgetFailures();
    this.flush();
    const { answers } = this.#parts;
    for (;;) {
      const { wakeCount } = answers;
      if (this.settle() || this.#asked.size === 0 || isOver()) return;
      answers.sleep(wakeCount);
    }
  }

  /** Lets what failed be asked for again. */
  forgetFailures(): void {
    for (const { key } of this.#failed) this.#blocks.delete(key);
    this.#failed = [];
  }

  #take(
    room: Room,
    { name, offset, length, fileSize }: {
      readonly name: string;
      readonly offset: number;
      readonly length: number;
      readonly fileSize: number | undefined;
    },
  ): Uint8Array | undefined {
    const bytes = room.take(length);
    const end = offset + length;
    let isWhole = true;
    for (let at = offset; at < end;) {
      const block = Math.floor(at / BLOCK_SIZE);
      const stop = Math.min(end, (block + 1) * BLOCK_SIZE);
      const out = bytes.subarray(at - offset, stop - offset);
      const place = { name, block, fileSize };
      const size = this.#copy(place, at - block * BLOCK_SIZE, out);
      if (size < 0) isWhole = false;
      else if (size < out.length) throw shortError(name, end, at + size);
      at = stop;
    }
    return isWhole ? bytes : undefined;
  }

  /** Copies bytes of a block; -1 while it is on its way. */
  #copy(place: BlockPlace, offset: number, out: Uint8Array): number {
    const { name, block } = place;
    const key = keyOf(name, block);
    const known = this.#blocks.get(key) ?? this.#add(key);
    if (known.failure >= 0) throw fetchError(name, known.failure);
    if (known.number === 0) {
      const size = known.stamp === 0
        ? -1
        : this.#parts.memory.copy(known.stamp, offset, out);
      if (size >= 0) return size;
      // One that has gone is asked for as any other.
      if (known.stamp !== 0) known.isFresh = false;
      this.#ask(known, place);
    }
    this.#wanted.push(known.number);
    return -1;
  }

  #add(key: string): Block {
    if (this.#blocks.size >= this.#sweepAt) {
      this.#sweep();
      this.#sweepAt = Math.max(KNOWN_MAX, 2 * this.#blocks.size);
    }
    const block = { key, number: 0, stamp: 0, failure: -1, isFresh: false };
    this.#blocks.set(key, block);
    return block;
  }

  #sweep(): void {
    for (const [key, { number, stamp, failure }] of this.#blocks) {
      const isUsed = number !== 0 || failure >= 0 ||
        stamp !== 0 && this.#parts.memory.has(stamp);
      if (!isUsed) this.#blocks.delete(key);
    }
  }

  #ask(known: Block, place: BlockPlace): void {
    const { name } = place;
    const number = this.#numberNext;
    if (this.#asked.has(number - ANSWERS)) {
      throw new StoreError(
        `Cannot read ${name}: ${ANSWERS} blocks are on their way, which is the most`,
        { code: "EBUSY", action: "read", storeName: name },
      );
    }
    this.#numberNext++;
    this.#parts.answers.set(number, 0);
    known.number = number;
    known.stamp = 0;
    this.#asked.set(number, known);
    this.#wants.push({ number, ...place, isFresh: known.isFresh });
  }
}

function keyOf(name: string, block: number): string {
  return `${name} ${block}`;
}

/** Room for the bytes of one range. */
class Room {
  #bytes = new Uint8Array(256 << 10);

  take(length: number): Uint8Array {
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(length * 2);
    return this.#bytes.subarray(0, length);
  }
}

function fetchError(name: string, failure: number): Error {
  const code = FAILURES[failure];
  if (code === "ENOENT") return new NotFoundError(name);
  return new StoreError(`Cannot read ${name}: the store failed with ${code}`, {
    code,
    action: "read",
    storeName: name,
  });
}

function shortError(name: string, wanted: number, found: number): StoreError {
  return new StoreError(
    `Cannot read ${name}: it has ${found} bytes, ${wanted} are needed`,
    { code: "SHORT", action: "read", storeName: name },
  );
}
