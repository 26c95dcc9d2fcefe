/**
 * Objects of the packs, for those who may not wait.
 *
 * @module
 */
import { type Hasher, ID_SIZE } from "@snap/hash";
import type { FrameCache } from "../cache/frame_cache.ts";
import type { FrameDecoders } from "../codec/frame_decoders.ts";
import { ObjectNotFoundError } from "../errors.ts";
import { ObjectIndex } from "../index/object_index.ts";
import { isPageRequest, type Location, type PageRequest } from "../location.ts";
import { ObjectCopies } from "./object_copies.ts";
import type { Ranges } from "../ranges/ranges.ts";
import { NotFoundError } from "@snap/store";
import { TableHeads } from "./table_heads.ts";
import type { TableList } from "./table_list.ts";

/** Memory for pages of the index. */
const INDEX_CACHE_SIZE = 8 << 20;

/** What {@linkcode Objects} reads with. */
export interface ObjectsParts {
  /** Bytes of the store. */
  readonly ranges: Ranges;
  /** Decoded frames; shared with other workers in a mount. */
  readonly cache: FrameCache;
  /** What hashes. */
  readonly hasher: Hasher;
  /** The tables of the index. */
  readonly tables: TableList;
  /** What decodes instead of the codecs. */
  readonly decoders?: FrameDecoders;
}

/**
 * Objects of the packs, without waiting: what is not here yet is `undefined`, its
 * ranges are wanted, and the whole question is asked again when they have come.
 */
export class Objects {
  /** What hashes. */
  readonly hasher: Hasher;
  readonly #ranges: Ranges;
  readonly #tables: TableList;
  readonly #heads: TableHeads;
  #index = new ObjectIndex({ cacheSize: INDEX_CACHE_SIZE });
  /** Whether a table of the index could not be found. */
  #isTableGone = false;
  readonly #reader: ObjectCopies;

  /**
   * Constructs a new instance; nothing is read yet.
   *
   * @param parts What reads, keeps and hashes.
   */
  constructor(parts: ObjectsParts) {
    const { ranges, cache, hasher, tables, decoders } = parts;
    this.hasher = hasher;
    this.#ranges = ranges;
    this.#tables = tables;
    this.#heads = new TableHeads(ranges, hasher, tables);
    this.#reader = new ObjectCopies({
      ranges,
      cache,
      hasher,
      decoders,
      onDamage: (packId) => this.#index.markBad(packId),
    });
  }

  /**
   * Takes an object as it is stored under its id and kind. After damage other
   * copies are tried.
   *
   * @param ids Bytes with its id.
   * @param idStart Where its 32 bytes begin.
   * @param kind Number of its kind.
   * @returns A view of its checked bytes, good until `release`; `undefined` while
   * some are on their way.
   * @throws {ObjectNotFoundError} If no pack holds it.
   * @throws {DamageError} If every copy is damaged.
   * @throws {IndexSyntaxError} If a page of the index is damaged.
   * @throws {StoreError} If the store fails.
   */
  take(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Uint8Array | undefined {
    const found = this.find(ids, idStart, kind);
    if (found !== "absent") return found;
    throw this.notFound(ids, idStart, kind);
  }

  /**
   * As {@linkcode Objects.take}, for objects that may not be there.
   *
   * @param ids Bytes with its id.
   * @param idStart Where its 32 bytes begin.
   * @param kind Number of its kind.
   * @returns A view of its checked bytes, good until `release`; `undefined` while
   * some are on their way; `absent` where no pack holds it.
   * @throws {DamageError} If every copy is damaged.
   * @throws {IndexSyntaxError} If a page of the index is damaged.
   * @throws {StoreError} If the store fails.
   */
  find(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Uint8Array | "absent" | undefined {
    if (!this.#openTables()) return undefined;
    for (;;) {
      const answer = this.#index.locate(ids, idStart, kind);
      if (answer === undefined) return "absent";
      if (!isPageRequest(answer)) {
        const copies = () => this.#copies(ids, idStart, kind);
        return this.#reader.take(answer, ids, idStart, copies);
      }
      if (!this.#givePage(answer)) return undefined;
    }
  }

  /**
   * Makes the error for an object that is `absent`. A store that was away may come
   * back: who asks again has all tables opened again.
   *
   * @param ids Bytes with its id.
   * @param idStart Where its 32 bytes begin.
   * @param kind Number of its kind.
   * @returns The error, to be thrown.
   */
  notFound(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): ObjectNotFoundError {
    if (this.#isTableGone) {
      this.#index = new ObjectIndex({ cacheSize: INDEX_CACHE_SIZE });
      this.#isTableGone = false;
    }
    return new ObjectNotFoundError(ids.slice(idStart, idStart + ID_SIZE), kind);
  }

  /** Gives back every view that was handed out. */
  release(): void {
    this.#reader.release();
  }

  #copies(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Location[] | undefined {
    for (;;) {
      const answer = this.#index.locateAll(ids, idStart, kind);
      if (Array.isArray(answer)) return answer;
      if (!this.#givePage(answer)) return undefined;
    }
  }

  /** Whether the page is there now; a table that is gone is looked into no more. */
  #givePage(request: PageRequest): boolean {
    const { name, offset, length } = request;
    try {
      const bytes = this.#tables.bytes(request.table, offset, length) ??
        this.#ranges.take(name, offset, length);
      if (bytes === undefined) return false;
      this.#index.give(request, bytes);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      this.#dropTable(request.table);
    }
    return true;
  }

  /** Whether the tables that the list has now are open. */
  #openTables(): boolean {
    const first = this.#index.tables.length;
    const { count } = this.#tables;
    if (first === count) return true;
    const heads = this.#heads.read(first, count);
    if (heads === undefined) return false;
    this.#index.addTables(heads.files);
    for (const number of heads.gone) this.#dropTable(number);
    return true;
  }

  #dropTable(number: number): void {
    this.#index.dropTable(number);
    this.#isTableGone = true;
  }
}
