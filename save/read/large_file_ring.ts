import { ID_SIZE } from "@snap/hash";

/** Bytes of one segment of the ring. */
export const SEGMENT_SIZE: number = 2 * 1024 * 1024;
/** Segments of the ring. */
export const SEGMENT_COUNT = 8;
/** Groups of chunks that may be on their way at once. */
const GROUPS_MAX = 4096;
/** Chunks that may be on their way at once. */
const CHUNKS_MAX = 32768;

// Words of the control block.
const PUBLISHED = 0, TAKEN = 1, FINISHED = 2, STOPPED = 3, PROGRESS = 4;
const PENDING = 16;
const GROUPS = PENDING + SEGMENT_COUNT;
const GROUP_WORDS = 5; // segment, start, first chunk, chunk count, done
const SIZES = GROUPS + GROUPS_MAX * GROUP_WORDS;
const IDS = SIZES + CHUNKS_MAX;
const WORDS = IDS + CHUNKS_MAX * (ID_SIZE / 4);

/** How long a thread sleeps before it looks at the stop word again. */
const WAIT_MS = 50;

/** Hashes, claims and packs the chunks of one group; writes their ids. */
export type GroupWork = (
  bytes: Uint8Array,
  sizes: Int32Array,
  ids: Uint8Array,
) => void;

/**
 * The ring through which all workers share one large file. One of them reads it
 * into segments, hashes the whole and cuts; every worker, the reader too, takes
 * groups of chunks from the ring. A group becomes a frame, so what a frame holds
 * does not depend on who took it.
 */
export class LargeFileRing {
  /** The shared memory, to hand to the other workers. */
  readonly buffer: SharedArrayBuffer;
  /** The segments. */
  readonly bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #ids: Uint8Array;
  #consumed = 0;
  #chunkCount = 0;

  /**
   * Makes a ring, or another view of one.
   *
   * @param buffer The memory of another instance; new memory if absent.
   */
  constructor(buffer?: SharedArrayBuffer) {
    const ring = SEGMENT_SIZE * SEGMENT_COUNT;
    this.buffer = buffer ?? new SharedArrayBuffer(ring + WORDS * 4);
    this.bytes = new Uint8Array(this.buffer, 0, ring);
    this.#words = new Int32Array(this.buffer, ring, WORDS);
    this.#ids = new Uint8Array(
      this.buffer,
      ring + IDS * 4,
      CHUNKS_MAX * ID_SIZE,
    );
  }

  /** Makes the ring ready for a file. No other thread may be in it. */
  reset(): void {
    this.#words.fill(0, 0, GROUPS);
    this.#consumed = 0;
    this.#chunkCount = 0;
  }

  /** Makes every thread leave the ring. */
  stop(): void {
    Atomics.store(this.#words, STOPPED, 1);
    Atomics.notify(this.#words, PROGRESS);
  }

  /** Whether {@linkcode LargeFileRing.stop} was called. */
  get isStopped(): boolean {
    return Atomics.load(this.#words, STOPPED) === 1;
  }

  /**
   * Takes part until the reader has finished the file.
   *
   * @param work What to do with a group.
   */
  help(work: GroupWork): void {
    while (!this.isStopped) {
      const seen = Atomics.load(this.#words, PROGRESS);
      if (this.#takeOne(work)) continue;
      if (Atomics.load(this.#words, FINISHED) === 1) return;
      Atomics.wait(this.#words, PROGRESS, seen, WAIT_MS);
    }
  }

  /**
   * Waits until nobody reads a segment any more, and works meanwhile.
   *
   * @param segment The number of the segment.
   * @param work What to do with a group.
   * @throws {RingStoppedError} If the ring was stopped.
   */
  claimSegment(segment: number, work: GroupWork): void {
    this.#workUntil(
      work,
      () => Atomics.load(this.#words, PENDING + segment) === 0,
    );
  }

  /**
   * Announces the groups of a segment.
   *
   * @param segment The number of the segment.
   * @param groups Triples of start in the segment, first size and size count.
   * @param sizes The sizes of their chunks in bytes.
   * @param work What to do with a group.
   */
  publish(
    segment: number,
    groups: readonly number[],
    sizes: readonly number[],
    work: GroupWork,
  ): void {
    Atomics.store(this.#words, PENDING + segment, groups.length / 3);
    for (let i = 0; i < groups.length; i += 3) {
      const count = groups[i + 2];
      this.#workUntil(work, () => this.#hasRoom(count));
      const published = Atomics.load(this.#words, PUBLISHED);
      const group = groupAt(published);
      const first = this.#chunkCount % CHUNKS_MAX + count > CHUNKS_MAX
        ? this.#chunkCount + CHUNKS_MAX - this.#chunkCount % CHUNKS_MAX
        : this.#chunkCount;
      this.#words[group] = segment;
      this.#words[group + 1] = groups[i];
      this.#words[group + 2] = first % CHUNKS_MAX;
      this.#words[group + 3] = count;
      this.#words[group + 4] = 0;
      for (let k = 0; k < count; k++) {
        this.#words[SIZES + first % CHUNKS_MAX + k] = sizes[groups[i + 1] + k];
      }
      this.#chunkCount = first + count;
      Atomics.store(this.#words, PUBLISHED, published + 1);
      Atomics.add(this.#words, PROGRESS, 1);
      Atomics.notify(this.#words, PROGRESS);
    }
  }

  /**
   * Gives the chunks of the next group, in file order.
   *
   * @param onChunk Told the ids, the offset of this one's and its size.
   * @returns Whether there was a finished group.
   */
  consume(
    onChunk: (ids: Uint8Array, offset: number, size: number) => void,
  ): boolean {
    if (this.#consumed === Atomics.load(this.#words, PUBLISHED)) return false;
    const group = groupAt(this.#consumed);
    if (Atomics.load(this.#words, group + 4) !== 1) return false;
    const first = this.#words[group + 2];
    for (let k = 0; k < this.#words[group + 3]; k++) {
      const size = this.#words[SIZES + first + k];
      onChunk(this.#ids, (first + k) * ID_SIZE, size);
    }
    this.#consumed++;
    return true;
  }

  /** The number of groups announced so far. */
  get publishedCount(): number {
    return Atomics.load(this.#words, PUBLISHED);
  }

  /** The number of groups given by {@linkcode LargeFileRing.consume} so far. */
  get consumedCount(): number {
    return this.#consumed;
  }

  /**
   * Works until every announced group is done.
   *
   * @param work What to do with a group.
   */
  drain(work: GroupWork): void {
    for (let segment = 0; segment < SEGMENT_COUNT; segment++) {
      this.claimSegment(segment, work);
    }
  }

  /** Tells the helpers that no group will follow. */
  finish(): void {
    Atomics.store(this.#words, FINISHED, 1);
    Atomics.add(this.#words, PROGRESS, 1);
    Atomics.notify(this.#words, PROGRESS);
  }

  #hasRoom(count: number): boolean {
    const published = Atomics.load(this.#words, PUBLISHED);
    if (published - this.#consumed >= GROUPS_MAX - 1) return false;
    if (published === this.#consumed) return true;
    const oldest = this.#words[groupAt(this.#consumed) + 2];
    const used = (this.#chunkCount - oldest + CHUNKS_MAX) % CHUNKS_MAX;
    return used + 2 * count < CHUNKS_MAX;
  }

  #workUntil(work: GroupWork, isReady: () => boolean): void {
    for (;;) {
      const seen = Atomics.load(this.#words, PROGRESS);
      if (isReady()) return;
      if (this.isStopped) throw new RingStoppedError();
      if (!this.#takeOne(work)) {
        Atomics.wait(this.#words, PROGRESS, seen, WAIT_MS);
      }
    }
  }

  #takeOne(work: GroupWork): boolean {
    const words = this.#words;
    for (;;) {
      const taken = Atomics.load(words, TAKEN);
      if (taken >= Atomics.load(words, PUBLISHED)) return false;
      if (Atomics.compareExchange(words, TAKEN, taken, taken + 1) !== taken) {
        continue;
      }
      const group = groupAt(taken);
      const first = words[group + 2], count = words[group + 3];
      const sizes = words.subarray(SIZES + first, SIZES + first + count);
      const start = words[group] * SEGMENT_SIZE + words[group + 1];
      let size = 0;
      for (let k = 0; k < count; k++) size += sizes[k];
      const ids = this.#ids.subarray(
        first * ID_SIZE,
        (first + count) * ID_SIZE,
      );
      try {
        work(this.bytes.subarray(start, start + size), sizes, ids);
      } catch (error) {
        // Nobody else will do this group: others must not wait for it.
        this.stop();
        throw error;
      }
      Atomics.store(words, group + 4, 1);
      Atomics.sub(words, PENDING + words[group], 1);
      Atomics.add(words, PROGRESS, 1);
      Atomics.notify(words, PROGRESS);
      return true;
    }
  }
}

/** Thrown in the reader of a ring that was stopped. */
export class RingStoppedError extends Error {
  /** The name of this class. */
  override readonly name = "RingStoppedError";
  constructor() {
    super("Cannot read on as the save was stopped");
  }
}

function groupAt(number: number): number {
  return GROUPS + (number % GROUPS_MAX) * GROUP_WORDS;
}
