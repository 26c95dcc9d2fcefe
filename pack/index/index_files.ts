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
import { type IndexedPack, isPageRequest, type Location } from "../location.ts";
import { type IndexFile, ObjectIndex } from "./object_index.ts";

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
  /** What hashes. */
  readonly hasher: Hasher;
  /** Memory for pages in bytes, 4 MiB if left out. */
  readonly cacheSize?: number;
}

/** An object index with the callback that reads its pages. */
export class IndexFiles {
  /** The index. */
  readonly index: ObjectIndex;
  readonly #readAt: ReadAt;
  readonly #page = new Uint8Array(INDEX_PAGE_SIZE);

  /**
   * Constructs a new instance.
   *
   * @param index The index
   * @param readAt Reads a range of a file
   */
  constructor(index: ObjectIndex, readAt: ReadAt) {
    this.index = index;
    this.#readAt = readAt;
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
    for (;;) {
      const answer = this.index.locate(ids, idStart, kind);
      if (!isPageRequest(answer)) return answer;
      this.#readAt(answer.name, answer.offset, this.#page);
      this.index.give(answer, this.#page);
    }
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
    for (;;) {
      const answer = this.index.locateAll(ids, idStart, kind);
      if (!isPageRequest(answer)) return answer;
      this.#readAt(answer.name, answer.offset, this.#page);
      this.index.give(answer, this.#page);
    }
  }

  /**
   * Goes through all pack rows of tables that are not replaced; a pack that
   * stands in several tables comes several times.
   *
   * @returns The packs
   * @throws {IndexSyntaxError} If a page is damaged
   */
  *packs(): Generator<IndexedPack, void, void> {
    for (let number = 0; number < this.index.packCount;) {
      const answer = this.index.packAt(number);
      if (isPageRequest(answer)) {
        this.#readAt(answer.name, answer.offset, this.#page);
        this.index.give(answer, this.#page);
        continue;
      }
      if (answer !== undefined) yield answer;
      number++;
    }
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
