import { NotFoundError, type ReadStore, StoreError } from "@snap/store";
import { BLOCK_SIZE, type FetchMemory } from "./fetch_memory.ts";
import { failureAnswer, type FetchWant } from "./fetched_ranges.ts";

/** Reads under way at once, in all and of one file, so that a file that never comes stops no other. */
const READS_MAX = 32, READS_OF_FILE_MAX = 16;
/** Most blocks in one read, and in all that are under way. */
const JOINED_MAX = 16, BLOCKS_MAX = 256;
/** Most blocks that are read ahead when a file is read in order, and the part of the memory that is. */
const AHEAD_MAX = 32, AHEAD_PART = 4;
/** Blocks follow each other so far apart, as workers ask for them side by side. */
const NEAR = 4;
/** Places of a file from which it is read in order, and files of which they are known. */
const STREAMS_MAX = 8, FOLLOWED_MAX = 64;
/** Sizes of files that are kept. */
const SIZES_MAX = 1 << 16;

/** The parts that {@linkcode Fetcher} is made of. */
export interface FetcherParts {
  /** The store that blocks are read from. */
  readonly store: ReadStore;
  /** Memory that blocks are read into. */
  readonly memory: FetchMemory;
  /**
   * Whether what is read will not be asked for again soon. Whoever reads so tells
   * what comes next, and nothing else is read ahead.
   */
  readonly isOnce?: boolean | undefined;
  /** How long a read may take, in milliseconds; as long as the store lets it if left out. */
  readonly deadlineMs?: number | undefined;
  /** Answers a worker: the stamp of the block, or a failure below 0. */
  readonly answer: (worker: number, number: number, answer: number) => void;
  /** Called for each read that failed. */
  readonly onFault: (name: string, error: unknown) => void;
}

interface Waiter {
  readonly worker: number;
  readonly number: number;
}

/** A block in memory. */
interface Kept {
  readonly stamp: number;
  /** Whether it has come from the store itself and no copy. */
  readonly isFresh: boolean;
}

/** A place from which a file is read in order. */
interface Stream {
  /** The last block that was wanted. */
  last: number;
  /** The block behind those that were read ahead. */
  end: number;
  /** Blocks that are read ahead. */
  count: number;
}

/** A block that is wanted or on its way. */
interface Fetch {
  readonly name: string;
  readonly block: number;
  readonly isFresh: boolean;
  readonly waiters: Waiter[];
}

/**
 * Main's side of fetching: reads blocks of a store for the workers. Neighbours are read at once,
 * a block that two workers want is read once, and blocks stay as long as there is room.
 */
export class Fetcher {
  readonly #parts: FetcherParts;
  readonly #sizes = new Map<string, Promise<number>>();
  /** Blocks in memory, the one used last at the end. */
  readonly #kept = new Map<string, Kept>();
  /** Blocks that wait for their turn. */
  readonly #queue = new Map<string, Fetch>();
  readonly #reading = new Map<string, Fetch>();
  readonly #readsOfFile = new Map<string, number>();
  readonly #streams = new Map<string, Stream[]>();
  readonly #stopped = new AbortController();
  readonly #reads = new Set<Promise<void>>();
  /** Slots below were used. */
  #slotNext = 0;
  /** Blocks that were read ahead where a file ended: what was read in order goes on in another. */
  #carried = 0;

  /** Reads nothing yet. */
  constructor(parts: FetcherParts) {
    this.#parts = parts;
  }

  /** Takes the wants of a worker. */
  take(worker: number, wants: readonly FetchWant[]): void {
    let before: FetchWant | undefined;
    for (const want of wants) {
      const { number, name, block, fileSize, isFresh } = want;
      if (fileSize !== undefined) this.#know(name, fileSize);
      const key = keyOf(name, block);
      const kept = this.#kept.get(key);
      const isUseful = kept !== undefined && (kept.isFresh || !isFresh) &&
        this.#parts.memory.has(kept.stamp);
      if (isUseful) {
        this.#kept.delete(key);
        this.#kept.set(key, kept);
        this.#parts.answer(worker, number, kept.stamp);
      } else this.#need(name, block, isFresh).waiters.push({ worker, number });
      // Blocks of one range say nothing of what comes next.
      const isSame = before?.name === name && before.block === block - 1;
      if (!this.#parts.isOnce) this.#follow(want, isSame ? 0 : AHEAD_MAX);
      before = want;
    }
    this.#pump();
  }

  /**
   * Reads ahead what a worker will take.
   *
   * @param file Name and size of a file of the store.
   * @param blocks Which blocks of it.
   */
  ahead(
    file: { readonly name: string; readonly size: number },
    blocks: Iterable<number>,
  ): void {
    const { name, size } = file;
    this.#know(name, size);
    for (const block of blocks) this.#readAhead(name, block);
    this.#pump();
  }

  /** Ends all reads. */
  async stop(): Promise<void> {
    this.#queue.clear();
    this.#stopped.abort();
    await Promise.all(this.#reads);
  }

  #need(name: string, block: number, isFresh = false): Fetch {
    const key = keyOf(name, block, isFresh);
    const known = this.#reading.get(key) ?? this.#queue.get(key);
    if (known !== undefined) return known;
    const fetch = { name, block, isFresh, waiters: [] };
    this.#queue.set(key, fetch);
    return fetch;
  }

  #know(name: string, size: number): void {
    if (this.#sizes.size >= SIZES_MAX) this.#sizes.clear();
    this.#sizes.set(name, Promise.resolve(size));
  }

  /** Reads ahead where a file is read in order, each time twice as far. */
  #follow({ name, block, fileSize }: FetchWant, aheadMax: number): void {
    const streams = this.#streams.get(name) ?? [];
    // The one used last is at the end, of places as of files.
    this.#streams.delete(name);
    this.#streams.set(name, streams);
    if (this.#streams.size > FOLLOWED_MAX) {
      this.#streams.delete(this.#streams.keys().next().value!);
    }
    const at = streams.findIndex(({ last }) => Math.abs(block - last) <= NEAR);
    if (at < 0 && streams.length >= STREAMS_MAX) streams.shift();
    const stream = streams.splice(at, at < 0 ? 0 : 1)[0] ??
      { last: -1, end: block + 1, count: 1 };
    streams.push(stream);
    if (block <= stream.last) return;
    stream.last = block;
    let isInOrder = at >= 0;
    if (!isInOrder && block === 0 && this.#carried > 0) {
      stream.count = this.#carried;
      this.#carried = 0;
      isInOrder = true;
    }
    const left = Math.ceil((fileSize ?? Infinity) / BLOCK_SIZE) - block;
    if (isInOrder && left <= NEAR) this.#carried = stream.count / 2;
    if (!isInOrder || aheadMax === 0) return;
    if (block + stream.count / 2 < stream.end) return;
    const room = Math.floor(this.#parts.memory.slotCount / AHEAD_PART);
    stream.count = Math.min(2 * stream.count, aheadMax, room);
    const first = Math.max(stream.end, block + 1);
    stream.end = block + stream.count + 1;
    for (let i = first; i < stream.end; i++) this.#readAhead(name, i);
  }

  #isKnown(name: string, block: number): boolean {
    const key = keyOf(name, block);
    return this.#kept.has(key) || this.#reading.has(key);
  }

  #readAhead(name: string, block: number): void {
    if (!this.#isKnown(name, block)) this.#need(name, block);
  }

  /** Starts reads while there may be more. */
  #pump(): void {
    if (this.#stopped.signal.aborted) return;
    const queue = [...this.#queue.values()];
    const isWanted = ({ waiters }: Fetch): boolean => waiters.length > 0;
    // What nobody waits for yet comes last.
    const ordered = [
      ...queue.filter(isWanted),
      ...queue.filter((fetch) => !isWanted(fetch)),
    ];
    for (const first of ordered) {
      if (this.#reads.size >= READS_MAX) return;
      if (this.#reading.size >= BLOCKS_MAX) return;
      const { name, block, isFresh } = first;
      if (!this.#queue.has(keyOf(name, block, isFresh))) continue;
      const count = this.#readsOfFile.get(name) ?? 0;
      if (count >= READS_OF_FILE_MAX) continue;
      this.#readsOfFile.set(name, count + 1);
      const read = this.#read(this.#join(first)).finally(() => {
        this.#reads.delete(read);
        const left = this.#readsOfFile.get(name)! - 1;
        if (left > 0) this.#readsOfFile.set(name, left);
        else this.#readsOfFile.delete(name);
        this.#pump();
      });
      this.#reads.add(read);
    }
  }

  /** Takes a block and its neighbours out of the queue. */
  #join(wanted: Fetch): Fetch[] {
    const joined: Fetch[] = [];
    const { name, block, isFresh } = wanted;
    let first = block;
    while (
      block - first < JOINED_MAX - 1 &&
      this.#queue.has(keyOf(name, first - 1, isFresh))
    ) first--;
    for (let i = first; i < first + JOINED_MAX; i++) {
      const key = keyOf(name, i, isFresh);
      const fetch = this.#queue.get(key);
      if (fetch === undefined) break;
      this.#queue.delete(key);
      this.#reading.set(key, fetch);
      joined.push(fetch);
    }
    return joined;
  }

  async #read(joined: Fetch[]): Promise<void> {
    const { name, block, isFresh } = joined[0];
    const offset = block * BLOCK_SIZE;
    try {
      const bytes = await this.#withDeadline(name, async (signal) => {
        const size = await this.#sizeOf(name, signal);
        const end = Math.min(size, offset + joined.length * BLOCK_SIZE);
        if (end <= offset) return new Uint8Array(0);
        const { store, isOnce = false } = this.#parts;
        const length = end - offset;
        return await store.read(name, {
          offset,
          length,
          signal,
          isFresh,
          isOnce,
        });
      });
      joined.forEach((fetch, i) => {
        const from = i * BLOCK_SIZE;
        this.#keep(fetch, bytes.subarray(from, from + BLOCK_SIZE));
      });
    } catch (error) {
      this.#fail(joined, error);
    }
  }

  /** Limits the time of a read, also of a store that does not look at its signal. */
  async #withDeadline<T>(
    name: string,
    action: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { deadlineMs } = this.#parts;
    if (deadlineMs === undefined) return await action(this.#stopped.signal);
    const late = new AbortController();
    const given = Promise.withResolvers<never>();
    const stop = () => late.abort(this.#stopped.signal.reason);
    const timer = setTimeout(
      () => late.abort(lateError(name, deadlineMs)),
      deadlineMs,
    );
    this.#stopped.signal.addEventListener("abort", stop);
    late.signal.addEventListener(
      "abort",
      () => given.reject(late.signal.reason),
    );
    try {
      return await Promise.race([action(late.signal), given.promise]);
    } finally {
      clearTimeout(timer);
      this.#stopped.signal.removeEventListener("abort", stop);
    }
  }

  async #sizeOf(name: string, signal: AbortSignal): Promise<number> {
    const known = this.#sizes.get(name);
    if (known !== undefined) return await known;
    if (this.#sizes.size >= SIZES_MAX) this.#sizes.clear();
    const size = this.#parts.store.size(name, { signal }).then((size) => {
      if (size === undefined) throw new NotFoundError(name);
      return size;
    });
    this.#sizes.set(name, size);
    // What failed, or came late, is asked again.
    const forget = () => {
      if (this.#sizes.get(name) === size) this.#sizes.delete(name);
    };
    size.catch(forget);
    signal.addEventListener("abort", forget);
    try {
      return await size;
    } finally {
      signal.removeEventListener("abort", forget);
    }
  }

  #keep(fetch: Fetch, bytes: Uint8Array): void {
    const { name, block, isFresh, waiters } = fetch;
    this.#reading.delete(keyOf(name, block, isFresh));
    // Read ahead, past the end of the file.
    if (bytes.length === 0 && waiters.length === 0) return;
    const key = keyOf(name, block);
    const slot = this.#freeSlot(key);
    let stamp = 0;
    // A worker that copies from the slot is done in microseconds.
    while (stamp === 0) stamp = this.#parts.memory.put(slot, bytes);
    this.#kept.delete(key);
    this.#kept.set(key, { stamp, isFresh });
    for (const { worker, number } of waiters) {
      this.#parts.answer(worker, number, stamp);
    }
  }

  /** The slot that a block has, one that was never used, or that of the block used longest ago. */
  #freeSlot(key: string): number {
    const { slotCount } = this.#parts.memory;
    const same = this.#kept.get(key);
    if (same !== undefined) return same.stamp % slotCount;
    if (this.#slotNext < slotCount) return this.#slotNext++;
    const [oldest, { stamp }] = this.#kept.entries().next().value!;
    this.#kept.delete(oldest);
    return stamp % slotCount;
  }

  #fail(joined: readonly Fetch[], error: unknown): void {
    const { signal } = this.#stopped;
    for (const { name, block, isFresh, waiters } of joined) {
      this.#reading.delete(keyOf(name, block, isFresh));
      for (const { worker, number } of waiters) {
        this.#parts.answer(worker, number, failureAnswer(error));
      }
    }
    const isWanted = joined.some(({ waiters }) => waiters.length > 0);
    if (!signal.aborted && isWanted) this.#parts.onFault(joined[0].name, error);
  }
}

function keyOf(name: string, block: number, isFresh = false): string {
  return `${name} ${block}${isFresh ? " fresh" : ""}`;
}

function lateError(name: string, deadlineMs: number): StoreError {
  return new StoreError(
    `Cannot read ${name}: the store gave no answer within ${deadlineMs} ms`,
    { code: "ETIMEDOUT", action: "read", storeName: name },
  );
}
