import type { Hasher } from "@snap/hash";
import {
  decodeIndexHead,
  INDEX_PAGE_SIZE,
  readIndexHeadSize,
} from "../index/index_table.ts";
import type { IndexFile } from "../index/index_file.ts";
import { isFileDamage } from "../faults.ts";
import { NotFoundError } from "@snap/store";
import type { ListedTable, TableList } from "./table_list.ts";
import type { Ranges } from "../ranges/ranges.ts";

/** Tables whose heads were read. */
export interface ReadHeads {
  readonly files: readonly IndexFile[];
  /** Those that are gone or damaged by now, by number; their places stay. */
  readonly failed: ReadonlyMap<number, Error>;
}

/** Reads the heads of the tables in a list. */
export class TableHeads {
  readonly #ranges: Ranges;
  readonly #hasher: Hasher;
  readonly #tables: TableList;
  /** Heads that have come while others have not, or what is wrong with them. */
  readonly #read = new Map<number, IndexFile | Error>();

  constructor(ranges: Ranges, hasher: Hasher, tables: TableList) {
    this.#ranges = ranges;
    this.#hasher = hasher;
    this.#tables = tables;
  }

  /**
   * Reads the heads of the tables from `first` up to `end`.
   *
   * @returns The tables, `undefined` while a head is on its way.
   * @throws {StoreError} If the store fails.
   */
  read(first: number, end: number): ReadHeads | undefined {
    let isHere = true;
    for (let number = first; number < end; number++) {
      if (this.#read.has(number)) continue;
      const file = this.#readOne(number);
      if (file === undefined) isHere = false;
      else this.#read.set(number, file);
    }
    if (!isHere) return undefined;
    const files: IndexFile[] = [];
    const failed = new Map<number, Error>();
    for (let number = first; number < end; number++) {
      const file = this.#read.get(number)!;
      const isFailed = file instanceof Error;
      if (isFailed) failed.set(number, file);
      files.push(isFailed ? emptyTable(this.#tables.table(number)) : file);
    }
    this.#read.clear();
    return { files, failed };
  }

  #readOne(number: number): IndexFile | Error | undefined {
    const { name, size } = this.#tables.table(number);
    const whole = this.#tables.bytes(number, 0, size);
    const read = (length: number): Uint8Array | undefined =>
      whole ?? this.#ranges.take(name, 0, length, size);
    const guess = Math.min(size, INDEX_PAGE_SIZE);
    let headSize = guess;
    try {
      let bytes = read(guess);
      if (bytes === undefined) return undefined;
      headSize = readIndexHeadSize(bytes, size);
      if (headSize > bytes.length) {
        bytes = read(headSize);
        if (bytes === undefined) return undefined;
      }
      const head = decodeIndexHead(bytes.slice(), size, this.#hasher);
      return { name, size, head, bytes: whole };
    } catch (error) {
      if (error instanceof NotFoundError) return error;
      if (!isFileDamage(error)) throw error;
      return this.#ranges.distrust(name, 0, headSize)
        ? this.#readOne(number)
        : error;
    }
  }
}

/** A table of no objects, whose packs and frames are counted. */
function emptyTable(table: ListedTable): IndexFile {
  const { name, size, packCount, frameCount } = table;
  const head = {
    packCount,
    frameCount,
    objectCount: 0,
    saveId: new Uint8Array(16),
    salt: new Uint8Array(32),
    timeMs: 0,
    replaces: new Uint8Array(0),
    fanOut: new Uint32Array(0),
  };
  return { name, size, head };
}
