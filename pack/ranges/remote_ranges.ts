/**
 * Ranges of a store that answers by promises.
 *
 * @module
 */
import { type ReadStore, StoreError, type StoreOptions } from "@snap/store";
import type { AwaitedRanges } from "./ranges.ts";

/** Memory for ranges that have arrived, in bytes. */
const SIZE_MAX = 16 << 20;
/** Reads that are under way at once. */
const READS_MAX = 32;
/** Ranges that lie so near are read together, up to a size. */
const GAP_MAX = 16 << 10;
const JOINED_MAX = 2 << 20;

/** Microtasks before a read begins: as deep as calls are between an answer and the next question. */
const PUMP_DELAY = 32;

/** Options of {@linkcode RemoteRanges}. */
export interface RemoteRangesOptions {
  /** Memory for ranges that have arrived in bytes, 16 MiB if left out. */
  readonly sizeMax?: number;
  /** Reads that are under way at once, 32 if left out. */
  readonly readsMax?: number;
  /** Bytes of a read of ranges that lie side by side, 2 MiB if left out. */
  readonly joinedMax?: number;
}

/** A range that is asked for. */
interface Want {
  readonly key: string;
  readonly number: number;
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  /** Whether it was only announced so far. */
  isHint: boolean;
  /** Whether it is to come from the store itself and no copy. */
  readonly isFresh: boolean;
  /** Callers that wait for it. */
  waiters: number;
  /** Settles with it; there once somebody waits. */
  settled?: PromiseWithResolvers<void>;
  /** The read that it is part of. */
  read?: Read;
}

/** A read under way. */
interface Read {
  readonly wants: readonly Want[];
  readonly stop: AbortController;
  done: Promise<void>;
}

/** A range that has arrived. */
interface Piece {
  readonly bytes: Uint8Array;
  /** Whether somebody has waited for it. */
  readonly isAwaited: boolean;
  /** Whether it has come from the store itself and no copy. */
  readonly isFresh: boolean;
}

/**
 * Reads ranges of a store ahead of those who take them. A range that two ask for
 * is read once, neighbours are read together, and no more reads are under way
 * than a limit. A failure is thrown by the next `take` of its range, which
 * forgets it: who asks again has it read again.
 */
export class RemoteRanges implements AwaitedRanges, AsyncDisposable {
  readonly isFar = true;
  readonly #store: ReadStore;
  readonly #sizeMax: number;
  readonly #readsMax: number;
  readonly #joinedMax: number;
  readonly #pieces = new Map<string, Piece>();
  /** Pieces that were taken: they go first, as they may not be needed any more. */
  readonly #taken = new Map<string, Piece>();
  readonly #failures = new Map<string, unknown>();
  readonly #wants = new Map<string, Want>();
  /** Wants of which no read has begun. */
  readonly #queue = new Set<Want>();
  readonly #reads = new Set<Read>();
  readonly #wanted: Want[] = [];
  /** Ranges whose bytes were damaged, and that were not asked for since. */
  readonly #distrusted = new Set<string>();
  #size = 0;
  #numberNext = 1;
  #isPumpDue = false;
  #isClosed = false;

  /**
   * Makes a reader; nothing is read yet.
   *
   * @param store The store
   * @param options Memory and concurrency
   */
  constructor(store: ReadStore, options: RemoteRangesOptions = {}) {
    this.#store = store;
    this.#sizeMax = options.sizeMax ?? SIZE_MAX;
    this.#readsMax = options.readsMax ?? READS_MAX;
    this.#joinedMax = options.joinedMax ?? JOINED_MAX;
  }

  get wanted(): readonly number[] {
    return this.#wanted.map(({ number }) => number);
  }

  take(name: string, offset: number, length: number): Uint8Array | undefined {
    const key = keyOf(name, offset, length);
    const piece = this.#remove(key);
    if (piece !== undefined) {
      this.#taken.set(key, piece);
      return piece.bytes;
    }
    if (this.#failures.has(key)) {
      const failure = this.#failures.get(key);
      this.#failures.delete(key);
      throw failure;
    }
    const want = this.#want(key, { name, offset, length });
    want.isHint = false;
    this.#wanted.push(want);
    return undefined;
  }

  hint(name: string, offset: number, length: number): void {
    const key = keyOf(name, offset, length);
    const isKnown = this.#pieces.has(key) || this.#taken.has(key) ||
      this.#failures.has(key);
    if (!isKnown && !this.#isClosed) this.#want(key, { name, offset, length });
  }

  distrust(name: string, offset: number, length: number): boolean {
    const key = keyOf(name, offset, length);
    const piece = this.#pieces.get(key) ?? this.#taken.get(key);
    if (piece === undefined || piece.isFresh) return false;
    this.#remove(key);
    this.#size -= piece.bytes.length;
    this.#distrusted.add(key);
    return true;
  }

  forgetWanted(): void {
    this.#wanted.length = 0;
  }

  async arrived({ signal }: StoreOptions = {}): Promise<void> {
    const wants = this.#wanted.splice(0);
    const waiting = wants.filter((want) => this.#wants.get(want.key) === want);
    if (waiting.length < wants.length || waiting.length === 0) return;
    for (const want of waiting) want.waiters++;
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal!.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    try {
      const settled = waiting.map((want) =>
        (want.settled ??= Promise.withResolvers()).promise
      );
      await Promise.race([...settled, aborted.promise]);
    } catch (error) {
      await this.#leave(waiting);
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      for (const want of waiting) want.waiters--;
    }
  }

  /** Ends all reads that nobody waits for, and waits for their end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const want of this.#queue) {
      if (want.waiters > 0) continue;
      this.#queue.delete(want);
      this.#wants.delete(want.key);
    }
    const unwanted = [...this.#reads].filter(({ wants }) =>
      wants.every(({ waiters }) => waiters === 0)
    );
    for (const { stop } of unwanted) stop.abort();
    await Promise.all(unwanted.map(({ done }) => done));
  }

  /** Takes a piece out of where it is kept. */
  #remove(key: string): Piece | undefined {
    const piece = this.#pieces.get(key) ?? this.#taken.get(key);
    if (!this.#pieces.delete(key)) this.#taken.delete(key);
    return piece;
  }

  #want(key: string, range: Pick<Want, "name" | "offset" | "length">): Want {
    const known = this.#wants.get(key);
    if (known !== undefined) return known;
    const number = this.#numberNext++;
    const isFresh = this.#distrusted.delete(key);
    const want: Want = {
      key,
      number,
      ...range,
      isHint: true,
      isFresh,
      waiters: 0,
    };
    this.#wants.set(key, want);
    this.#queue.add(want);
    if (!this.#isPumpDue) {
      this.#isPumpDue = true;
      void this.#pumpSoon();
    }
    return want;
  }

  /** Looks together at all that those find missing who were woken by the same answer. */
  async #pumpSoon(): Promise<void> {
    for (let i = 0; i < PUMP_DELAY; i++) await undefined;
    this.#isPumpDue = false;
    this.#pump();
  }

  /** Ends the reads that only this caller waits for. */
  async #leave(waiting: readonly Want[]): Promise<void> {
    const mine = new Set(waiting);
    const hasOthers = (want: Want): boolean =>
      want.waiters > (mine.has(want) ? 1 : 0);
    const ended: Promise<void>[] = [];
    for (const want of waiting) {
      if (hasOthers(want)) continue;
      if (this.#queue.delete(want)) this.#wants.delete(want.key);
      const { read } = want;
      if (read === undefined || read.wants.some(hasOthers)) continue;
      read.stop.abort();
      ended.push(read.done);
    }
    await Promise.all(ended);
  }

  /** Starts reads while there may be more. */
  #pump(): void {
    if (this.#queue.size === 0) return;
    for (const wants of groupsOf([...this.#queue], this.#joinedMax)) {
      if (this.#reads.size >= this.#readsMax) return;
      for (const want of wants) this.#queue.delete(want);
      this.#begin(wants);
    }
  }

  #begin(wants: readonly Want[]): void {
    const stop = new AbortController();
    const read: Read = { wants, stop, done: Promise.resolve() };
    for (const want of wants) want.read = read;
    this.#reads.add(read);
    read.done = this.#read(read).finally(() => {
      this.#reads.delete(read);
      this.#pump();
    });
  }

  async #read({ wants, stop: { signal } }: Read): Promise<void> {
    const [{ name, offset }] = wants;
    const end = Math.max(...wants.map((want) => want.offset + want.length));
    try {
      const isFresh = wants.some((want) => want.isFresh);
      const range = { offset, length: end - offset, signal, isFresh };
      const bytes = await this.#store.read(name, range);
      for (const want of wants) {
        const from = want.offset - offset;
        const part = bytes.subarray(from, from + want.length);
        this.#keep(want, { bytes: part, isFresh });
      }
    } catch (error) {
      const isShort = error instanceof StoreError && error.code === "SHORT";
      if (isShort && wants.length > 1) this.#readApart(wants);
      else for (const want of wants) this.#fail(want, error, signal.aborted);
    }
  }

  /** The file ends before one of them does: the others may be whole. */
  #readApart(wants: readonly Want[]): void {
    for (const want of wants) this.#begin([want]);
  }

  #keep(want: Want, part: Omit<Piece, "isAwaited">): void {
    this.#pieces.set(want.key, { ...part, isAwaited: want.waiters > 0 });
    this.#size += part.bytes.length;
    this.#settle(want);
    for (const [key, { bytes }] of this.#taken) {
      if (this.#size <= this.#sizeMax) return;
      this.#taken.delete(key);
      this.#size -= bytes.length;
    }
    for (const [key, piece] of this.#pieces) {
      if (this.#size <= this.#sizeMax) break;
      // What somebody is about to take stays, within bounds.
      if (piece.isAwaited && this.#size <= 2 * this.#sizeMax) continue;
      if (key === want.key) break;
      this.#pieces.delete(key);
      this.#size -= piece.bytes.length;
    }
  }

  #fail(want: Want, error: unknown, isAborted: boolean): void {
    // What nobody waits for is read again by who wants it.
    if (want.waiters > 0 && !isAborted) this.#failures.set(want.key, error);
    this.#settle(want);
  }

  #settle(want: Want): void {
    this.#wants.delete(want.key);
    want.settled?.resolve();
  }
}

function keyOf(name: string, offset: number, length: number): string {
  return `${name} ${offset} ${length}`;
}

/** Ranges that are read together; those that somebody came too early for go first. */
function groupsOf(queue: Want[], joinedMax: number): Want[][] {
  queue.sort((a, b) =>
    a.name === b.name ? a.offset - b.offset : a.name < b.name ? -1 : 1
  );
  const groups: Want[][] = [];
  let end = 0;
  for (const want of queue) {
    const group = groups.at(-1);
    const wantEnd = want.offset + want.length;
    const joins = group !== undefined && group[0].name === want.name &&
      want.offset <= end + GAP_MAX &&
      Math.max(end, wantEnd) - group[0].offset <= joinedMax;
    if (joins) group.push(want);
    else groups.push([want]);
    end = joins ? Math.max(end, wantEnd) : wantEnd;
  }
  const isHint = (group: Want[]): number =>
    group.every((want) => want.isHint) ? 1 : 0;
  return groups.sort((a, b) => isHint(a) - isHint(b));
}
