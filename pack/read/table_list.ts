/**
 * Which tables the index of a store has, for all threads that read it.
 *
 * @module
 */
import { indexIdOf, indexName } from "../file_name.ts";
import type { IndexFile } from "../index/index_file.ts";

/** Most tables of a list. */
const TABLES_MAX = 65_536;

// Words: number of tables; how often a search was wanted, and how many of these the
// last one has answered, negative if it failed. Then rows of size, packs, frames,
// place, whether it is damaged, and the id. The place is where the bytes begin of a
// table that is in memory alone, in units of 64.
const COUNT = 0, WANTED = 1, SEARCHED = 2, HEAD_WORDS = 4;
const ROW_WORDS = 13;
const PLACE_WORD = 3;
const DAMAGED_WORD = 4;
const ID_WORD = 5;
const PLACE_UNIT = 64;
/** Most bytes of tables that are in memory alone. */
const BUILT_SIZE_MAX = 2 ** 30;

/** A table of the index as a list has it. */
export interface ListedTable {
  /** Its name in the store. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
  /** Number of its packs, which number those of the tables behind it. */
  readonly packCount: number;
  /** Number of its frames, likewise. */
  readonly frameCount: number;
}

/** State of the search for packs that no sound table names. */
export type SearchState =
  /** They are to be looked for, or are being looked for. */
  | "wanted"
  /** They are in the list, as far as there are any. */
  | "made"
  /** It cannot be known at present. */
  | "failed";

/**
 * The tables of a store's index in shared memory. One thread adds, the others
 * read, and say which tables are damaged: all of them number tables, packs and
 * frames alike.
 */
export class TableList {
  /** The shared memory, to be handed to workers. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  /**
   * Makes the memory of an empty list, and a list over it. What is not used costs
   * nothing.
   *
   * @returns The list.
   */
  static create(): TableList {
    const words = HEAD_WORDS + ROW_WORDS * TABLES_MAX;
    const size = Math.ceil(4 * words / PLACE_UNIT) * PLACE_UNIT;
    const maxByteLength = size + BUILT_SIZE_MAX;
    const list = new TableList(new SharedArrayBuffer(size, { maxByteLength }));
    list.wantSearch();
    return list;
  }

  /**
   * Opens a list in shared memory.
   *
   * @param buffer Memory that `create` has made.
   */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
  }

  /** Number of tables; those below it never change. */
  get count(): number {
    return Atomics.load(this.#words, COUNT);
  }

  /**
   * Adds those tables that are not in the list yet.
   *
   * @param tables Tables whose heads were read.
   * @throws {RangeError} If there are more than 65,536, or their bytes are more than 1 GiB.
   */
  add(tables: Iterable<IndexFile>): void {
    const known = new Set<string>();
    for (let i = 0; i < this.count; i++) known.add(this.table(i).name);
    for (const { name, size, head, bytes } of tables) {
      const id = indexIdOf(name);
      if (id === undefined || known.has(name)) continue;
      const number = this.count;
      if (number === TABLES_MAX) {
        throw new RangeError(
          `Cannot add index table as a list has at most ${TABLES_MAX}: found one more`,
        );
      }
      const at = HEAD_WORDS + ROW_WORDS * number;
      this.#words[at] = size;
      this.#words[at + 1] = head.packCount;
      this.#words[at + 2] = head.frameCount;
      if (bytes !== undefined) this.#words[at + PLACE_WORD] = this.#keep(bytes);
      this.#bytes.set(id, 4 * (at + ID_WORD));
      Atomics.store(this.#words, COUNT, number + 1);
    }
  }

  /**
   * Says that a table is damaged: packs that it alone names are to be looked for.
   *
   * @param number Number of the table, below `count`.
   */
  markDamaged(number: number): void {
    const at = HEAD_WORDS + ROW_WORDS * number + DAMAGED_WORD;
    Atomics.store(this.#words, at, 1);
    this.wantSearch();
  }

  /** Names of the tables that were found to be damaged. */
  get damaged(): Set<string> {
    const names = new Set<string>();
    for (let number = 0; number < this.count; number++) {
      const at = HEAD_WORDS + ROW_WORDS * number + DAMAGED_WORD;
      if (Atomics.load(this.#words, at) !== 0) {
        names.add(this.table(number).name);
      }
    }
    return names;
  }

  /** How often a search was wanted: it tells one want from the next. */
  get wantedCount(): number {
    return Atomics.load(this.#words, WANTED);
  }

  /** State of the search for packs that no sound table names. */
  get search(): SearchState {
    const searched = Atomics.load(this.#words, SEARCHED);
    if (Math.abs(searched) !== this.wantedCount) return "wanted";
    return searched > 0 ? "made" : "failed";
  }

  /** Says that packs are to be looked for which no sound table names. */
  wantSearch(): void {
    Atomics.add(this.#words, WANTED, 1);
  }

  /**
   * Says that packs were looked for, and added.
   *
   * @param wantedCount As it was before anything was read.
   * @param outcome Whether all were found.
   */
  endSearch(wantedCount: number, outcome: "made" | "failed"): void {
    const searched = outcome === "made" ? wantedCount : -wantedCount;
    Atomics.store(this.#words, SEARCHED, searched);
  }

  /** Keeps the bytes of a table; gives their place. */
  #keep(bytes: Uint8Array): number {
    const start = this.buffer.byteLength;
    const size = Math.ceil(bytes.length / PLACE_UNIT) * PLACE_UNIT;
    this.buffer.grow(start + size);
    this.#bytes.set(bytes, start);
    return start / PLACE_UNIT;
  }

  /**
   * Reads a range of a table that is in memory alone.
   *
   * @param number Number of the table, below `count`.
   * @param offset First byte.
   * @param length Number of bytes.
   * @returns A view of them, `undefined` where the table lies in the store.
   */
  bytes(
    number: number,
    offset: number,
    length: number,
  ): Uint8Array | undefined {
    const place = this.#words[HEAD_WORDS + ROW_WORDS * number + PLACE_WORD];
    if (place === 0) return undefined;
    const start = place * PLACE_UNIT + offset;
    return this.#bytes.subarray(start, start + length);
  }

  /**
   * Reads a row.
   *
   * @param number Number of the table, below `count`.
   * @returns The table.
   */
  table(number: number): ListedTable {
    const at = HEAD_WORDS + ROW_WORDS * number;
    return {
      name: indexName(this.#bytes, 4 * (at + ID_WORD)),
      size: this.#words[at] >>> 0,
      packCount: this.#words[at + 1] >>> 0,
      frameCount: this.#words[at + 2] >>> 0,
    };
  }
}
