/**
 * An object index whose pages are read synchronously, as by a worker.
 *
 * @module
 */
import type { Hasher } from "@snap/hash";
import { IndexSyntaxError } from "../errors.ts";
import {
  decodeIndexHead,
  INDEX_HEAD_START,
  INDEX_PAGE_SIZE,
  readIndexHeadSize,
} from "./index_table.ts";
import type { IndexedPack, Location, PageRequest } from "../location.ts";
import { IndexReader } from "./index_reader.ts";
import type { IndexFile } from "./index_file.ts";
import { ObjectIndex } from "./object_index.ts";

/**
 * Reads a range of a file of the store, whole.
 *
 * @param name Name of the file in the store
 * @param offset First byte
 * @param out Place for the bytes, to be filled whole; the call throws otherwise
 */
export type ReadAt = (name: string, offset: number, out: Uint8Array) => void;

/** Options of {@linkcode openIndexFiles}. */
export interface IndexFilesOptions {
  /** The tables: names and sizes in bytes. */
  readonly tables: Iterable<{ readonly name: string; readonly size: number }>;
  /** Reads a range of a file. */
  readonly readAt: ReadAt;
  /** Hasher. */
  readonly hasher: Hasher;
  /** Memory for pages in bytes, 4 MiB if left out. */
  readonly cacheSize?: number;
}

/** An object index with the callback that reads its pages. */
export class IndexFiles {
  /** The index. */
  readonly index: ObjectIndex;
  readonly #reader: IndexReader;

  /**
   * Makes a reader; no page is read yet.
   *
   * @param index The index
   * @param readAt Reads a range of a file
   */
  constructor(index: ObjectIndex, readAt: ReadAt) {
    this.index = index;
    const page = new Uint8Array(INDEX_PAGE_SIZE);
    const take = (name: string, offset: number): Uint8Array => {
      readAt(name, offset, page);
      return page;
    };
    this.#reader = new IndexReader(index, {
      ranges: { take, distrust: () => false },
    });
  }

  /**
   * Finds an object.
   *
   * @param ids Bytes with its id
   * @param idStart Where its 32 bytes begin
   * @param kind Number of its kind
   * @returns Where it lies, `undefined` where no pack that is present holds it
   * @throws {IndexSyntaxError} If a page is damaged
   */
  locate(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Location | undefined {
    return this.#ask(() => this.index.locate(ids, idStart, kind));
  }

  /**
   * Finds the copies of an object, those in bad packs last.
   *
   * @param ids Bytes with its id
   * @param idStart Where its 32 bytes begin
   * @param kind Number of its kind
   * @returns Where they lie, at most 64
   * @throws {IndexSyntaxError} If a page is damaged
   */
  locateAll(ids: Uint8Array, idStart: number, kind: number): Location[] {
    return this.#ask(() => this.index.locateAll(ids, idStart, kind));
  }

  /**
   * Goes through all pack rows of tables that are not replaced; a pack that
   * stands in several tables comes several times.
   *
   * @returns The packs
   * @throws {IndexSyntaxError} If a page is damaged
   */
  *packs(): Generator<IndexedPack, void, void> {
    for (let number = 0; number < this.index.packCount; number++) {
      const pack = this.#ask(() => this.index.packAt(number));
      if (pack !== undefined) yield pack;
    }
  }

  /** No page is ever on its way. */
  #ask<Answer extends object | undefined>(
    question: () => Answer | PageRequest,
  ): Answer {
    return this.#reader.ask(question) as Answer;
  }
}

/**
 * Opens an index: reads the heads of its tables and nothing else.
 *
 * @param options The tables, and what reads and hashes
 * @returns The index
 * @throws {IndexSyntaxError} If a head is damaged
 * @throws {UnsupportedVersionError} If a table needs a newer reader
 */
export function openIndexFiles(options: IndexFilesOptions): IndexFiles {
  const { readAt, hasher, cacheSize } = options;
  const files: IndexFile[] = [];
  for (const { name, size } of options.tables) {
    try {
      const start = new Uint8Array(Math.min(size, INDEX_HEAD_START));
      readAt(name, 0, start);
      const bytes = new Uint8Array(readIndexHeadSize(start, size));
      readAt(name, 0, bytes);
      files.push({ name, size, head: decodeIndexHead(bytes, size, hasher) });
    } catch (error) {
      if (!(error instanceof IndexSyntaxError)) throw error;
      const { message, offset } = error;
      const options = { cause: error, tableName: name };
      throw new IndexSyntaxError(message, offset, options);
    }
  }
  const index = new ObjectIndex(cacheSize === undefined ? {} : { cacheSize });
  index.addTables(files);
  return new IndexFiles(index, readAt);
}
