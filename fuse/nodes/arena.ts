import { lock, unlock } from "@snap/pack/cache";

/** Bytes that an address counts: ids of nodes are addresses, so they have 29 bits. */
export const UNIT_SIZE = 8;
/** Most bytes of an arena. */
export const ARENA_SIZE_MAX: number = 2 ** 32;

const ARENA_SIZE_MIN = 2 ** 20;
const BLOCK_SIZE = 2 ** 16;
const BLOCK_UNITS = BLOCK_SIZE / UNIT_SIZE;
const VERSION = 0x736e_6101;

// Words of the head.
const LOCK = 1;
const IS_ALL = 2;
/** How often a volume was given back: views that were made before are void. */
const FREED = 3;
/** All blocks below are in use. */
const FIRST_FREE = 4;
const HEAD_WORDS = 16;

// Words of a volume. The references of the kernel may be more than 2^32: a double.
const ROOT = 0;
const USES = 1;
const NEXT = 2;
const END = 3;
const COUNT_DOUBLE = 2;
const VOLUME_WORDS = 6;
/** Volumes have a block each, and this is the most. */
const VOLUMES_MAX = ARENA_SIZE_MAX / BLOCK_SIZE;

/** Memory that is used up. */
export class ArenaFullError extends Error {
  /** Always `ArenaFullError`. */
  override readonly name: string = "ArenaFullError";

  constructor(byteCount: number, size: number) {
    super(
      `Out of mount memory: need ${byteCount} bytes, limit ${size}`,
    );
  }
}

/**
 * Shared memory for directories. It is reserved, and costs nothing until it is
 * touched. A volume has blocks of its own, which others get when it is given back.
 */
export class Arena {
  /** The shared memory, to be handed to workers. */
  readonly buffer: SharedArrayBuffer;
  /** All of it as words: that of an address is twice the address. */
  readonly words: Int32Array;
  /** All of it as bytes. */
  readonly bytes: Uint8Array;
  /** Whether volumes come and go. */
  readonly isAll: boolean;
  /** First address behind the memory. */
  readonly unitCount: number;
  readonly #doubles: Float64Array;
  /** Words of the owners of blocks, of the volumes. */
  readonly #ownersAt = HEAD_WORDS;
  readonly #volumesAt: number;
  readonly #blockCount: number;

  /**
   * Reserves memory: as much as wanted, or half of it as often as that fails.
   *
   * @throws {RangeError} If not even 1 MiB can be had.
   */
  static create(options: { sizeMax: number; isAll: boolean }): Arena {
    const buffer = reserve(options.sizeMax);
    const words = new Int32Array(buffer);
    words[0] = VERSION;
    words[IS_ALL] = options.isAll ? 1 : 0;
    const arena = new Arena(buffer);
    arena.#takeHead();
    return arena;
  }

  /** Uses memory that `create` has made. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    if (this.words[0] !== VERSION) {
      throw new RangeError(
        `Cannot use memory for nodes: it begins with ${
          this.words[0]
        }, not ${VERSION}`,
      );
    }
    this.#doubles = new Float64Array(buffer);
    this.isAll = this.words[IS_ALL] === 1;
    this.unitCount = buffer.byteLength / UNIT_SIZE;
    this.#blockCount = buffer.byteLength / BLOCK_SIZE;
    this.#volumesAt = this.#ownersAt + 2 * Math.ceil(this.#blockCount / 2);
  }

  /** How often a volume was given back. */
  get freedCount(): number {
    return Atomics.load(this.words, FREED);
  }

  /** Number of blocks that are in use. */
  get blocksUsed(): number {
    let count = 0;
    for (let block = 0; block < this.#blockCount; block++) {
      if (this.words[this.#ownersAt + block] !== 0) count++;
    }
    return count;
  }

  /** The volume whose memory holds an address, -1 where there is none. */
  slotAt(address: number): number {
    if (!(address > 0 && address < this.unitCount)) return -1;
    const block = Math.floor(address / BLOCK_UNITS);
    return this.words[this.#ownersAt + block] - 1;
  }

  /** Adds a volume without memory. */
  addVolume(): number {
    lock(this.words, LOCK);
    try {
      for (let slot = 1; slot < this.#blockCount; slot++) {
        const at = this.#volumeAt(slot);
        if (this.words[at + ROOT] !== 0) continue;
        // No thread finds it before it has a root.
        this.words[at + ROOT] = -1;
        this.words[at + USES]++;
        this.words[at + NEXT] = 0;
        this.words[at + END] = 0;
        this.#doubles[at / 2 + COUNT_DOUBLE] = 0;
        return slot;
      }
      throw new ArenaFullError(BLOCK_SIZE, this.buffer.byteLength);
    } finally {
      unlock(this.words, LOCK);
    }
  }

  /** Sets the id of a volume's root. */
  setRoot(slot: number, id: number): void {
    this.words[this.#volumeAt(slot) + ROOT] = id;
  }

  /** The id of a volume's root. */
  rootOf(slot: number): number {
    return this.words[this.#volumeAt(slot) + ROOT];
  }

  /** A number that no other volume ever has. */
  volumeNumber(slot: number): number {
    return this.words[this.#volumeAt(slot) + USES] * VOLUMES_MAX + slot;
  }

  /**
   * Finds room for the bytes of one directory.
   *
   * @throws {ArenaFullError} If there is none.
   */
  allocate(slot: number, byteCount: number): number {
    const units = Math.ceil(byteCount / UNIT_SIZE);
    const at = this.#volumeAt(slot);
    const { words } = this;
    lock(words, LOCK);
    try {
      const next = words[at + NEXT];
      if (words[at + END] - next < units && !this.#extend(slot, units)) {
        return this.#allocateApart(slot, units);
      }
      words[at + NEXT] = next + units;
      return next;
    } finally {
      unlock(words, LOCK);
    }
  }

  /** Counts a reference of the kernel to a volume. */
  remember(slot: number): void {
    lock(this.words, LOCK);
    this.#doubles[this.#volumeAt(slot) / 2 + COUNT_DOUBLE]++;
    unlock(this.words, LOCK);
  }

  /** References of the kernel to a volume. */
  references(slot: number): number {
    lock(this.words, LOCK);
    const count = this.#doubles[this.#volumeAt(slot) / 2 + COUNT_DOUBLE];
    unlock(this.words, LOCK);
    return count;
  }

  /** Takes references back; without any the volume's memory is free. */
  forget(slot: number, count: number): void {
    const { words } = this;
    const countAt = this.#volumeAt(slot) / 2 + COUNT_DOUBLE;
    lock(words, LOCK);
    this.#doubles[countAt] -= count;
    if (this.#doubles[countAt] <= 0) this.#free(slot);
    unlock(words, LOCK);
  }

  #volumeAt(slot: number): number {
    return this.#volumesAt + VOLUME_WORDS * slot;
  }

  /** Takes the blocks of head and tables: no volume has them. */
  #takeHead(): void {
    const end = 4 * this.#volumeAt(this.#blockCount);
    const blocks = Math.ceil(end / BLOCK_SIZE);
    this.words.fill(-1, this.#ownersAt, this.#ownersAt + blocks);
    this.words[FIRST_FREE] = blocks;
  }

  /** Takes the blocks behind those of a volume, if they are free. */
  #extend(slot: number, units: number): boolean {
    const at = this.#volumeAt(slot);
    const end = this.words[at + END];
    if (end === 0) return false;
    const missing = units - (end - this.words[at + NEXT]);
    const count = Math.ceil(missing / BLOCK_UNITS);
    const first = end / BLOCK_UNITS;
    if (this.#freeRun(first, count) < count) return false;
    this.#takeBlocks(slot, first, count);
    this.words[at + END] = end + count * BLOCK_UNITS;
    return true;
  }

  /** Takes blocks anywhere, and goes on behind what leaves more room. */
  #allocateApart(slot: number, units: number): number {
    const { words } = this;
    const at = this.#volumeAt(slot);
    const count = Math.ceil(units / BLOCK_UNITS);
    let first = words[FIRST_FREE];
    for (;;) {
      if (first + count > this.#blockCount) {
        throw new ArenaFullError(units * UNIT_SIZE, this.buffer.byteLength);
      }
      const run = this.#freeRun(first, count);
      if (run === count) break;
      first += run + 1;
    }
    this.#takeBlocks(slot, first, count);
    const address = first * BLOCK_UNITS;
    const end = address + count * BLOCK_UNITS;
    if (end - address - units > words[at + END] - words[at + NEXT]) {
      words[at + NEXT] = address + units;
      words[at + END] = end;
    }
    return address;
  }

  /** How many of the blocks from `first` on are free, up to `count`. */
  #freeRun(first: number, count: number): number {
    const end = Math.min(first + count, this.#blockCount);
    let block = first;
    while (block < end && this.words[this.#ownersAt + block] === 0) block++;
    return block - first;
  }

  #takeBlocks(slot: number, first: number, count: number): void {
    const { words } = this;
    const at = this.#ownersAt;
    words.fill(slot + 1, at + first, at + first + count);
    let free = words[FIRST_FREE];
    while (free < this.#blockCount && words[at + free] !== 0) free++;
    words[FIRST_FREE] = free;
  }

  #free(slot: number): void {
    const { words } = this;
    words[this.#volumeAt(slot) + ROOT] = 0;
    let first = this.#blockCount;
    for (let block = this.#blockCount - 1; block >= 0; block--) {
      if (words[this.#ownersAt + block] !== slot + 1) continue;
      words[this.#ownersAt + block] = 0;
      first = block;
    }
    words[FIRST_FREE] = Math.min(words[FIRST_FREE], first);
    Atomics.add(words, FREED, 1);
  }
}

function reserve(sizeMax: number): SharedArrayBuffer {
  let size = Math.ceil(Math.min(sizeMax, ARENA_SIZE_MAX) / BLOCK_SIZE) *
    BLOCK_SIZE;
  for (;;) {
    try {
      return new SharedArrayBuffer(size);
    } catch (error) {
      if (size <= ARENA_SIZE_MIN) throw error;
      size = Math.ceil(size / 2 / BLOCK_SIZE) * BLOCK_SIZE;
    }
  }
}
