/**
 * Objects of the packs, for those who may not wait.
 *
 * @module
 */
import { type Hasher, ID_SIZE } from "@snap/hash";
import type { FrameCache } from "../cache/frame_cache.ts";
import type { FrameDecoders } from "../codec/frame_decoders.ts";
import { IndexSyntaxError, ObjectNotFoundError } from "../errors.ts";
import { isFileDamage } from "../faults.ts";
import { IndexReader } from "../index/index_reader.ts";
import { ObjectIndex } from "../index/object_index.ts";
import { isPageRequest, type Location, type PageRequest } from "../location.ts";
import { ObjectCopies } from "./object_copies.ts";
import type { Ranges } from "../ranges/ranges.ts";
import { NotFoundError } from "@snap/store";
import { TableHeads } from "./table_heads.ts";
import type { TableList } from "./table_list.ts";

/** Memory for pages of the index. */
const INDEX_CACHE_SIZE = 8 << 20;

/** Packs of which it is remembered that they are gone. */
const GONE_MAX = 1024;

/** The thread that may wait, which adds to the list of tables. */
export interface TableKeeper {
  /**
   * Takes note of a damaged table.
   *
   * @param name Its name in the store
   * @param error What is wrong with it
   */
  tellDamage(name: string, error: unknown): void;
  /** Looks for packs that no sound table names; the list says when that is done. */
  search(): void;
}

/** Parts of {@linkcode Objects}. */
export interface ObjectsParts {
  /** Bytes of the store. */
  readonly ranges: Ranges;
  /** Decoded frames; shared with other workers in a mount. */
  readonly cache: FrameCache;
  /** Hasher. */
  readonly hasher: Hasher;
  /** The tables of the index. */
  readonly tables: TableList;
  /** Search for packs that no sound table names; none if left out. */
  readonly keeper?: TableKeeper;
  /** Decoders that run in place of the codecs. */
  readonly decoders?: FrameDecoders;
}

/**
 * Objects of the packs, without waiting: what is not here yet is `undefined`, its
 * ranges are wanted, and the whole question is asked again when they have come.
 */
export class Objects {
  /** Hasher. */
  readonly hasher: Hasher;
  readonly #ranges: Ranges;
  readonly #tables: TableList;
  readonly #heads: TableHeads;
  readonly #keeper: TableKeeper | undefined;
  #pages: IndexReader;
  /** Whether a table was dropped that was gone or damaged. */
  #isTableDropped = false;
  /** Damaged tables that the keeper knows of. */
  readonly #damaged = new Set<number>();
  /** Which search was asked for last, and of which it was seen that it has ended. */
  #askedCount = 0;
  #endedCount = 0;
  readonly #reader: ObjectCopies;
  /** Packs that were gone, and for which the tables were listed again. */
  readonly #gone = new Set<string>();

  /**
   * Makes a reader; nothing is read yet.
   *
   * @param parts What reads, keeps and hashes.
   */
  constructor(parts: ObjectsParts) {
    const { ranges, cache, hasher, tables, keeper, decoders } = parts;
    this.hasher = hasher;
    this.#ranges = ranges;
    this.#pages = this.#openIndex();
    this.#tables = tables;
    this.#keeper = keeper;
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
   * @throws {IndexSyntaxError} If a page of the index is damaged, and nothing looks for packs.
   * @throws {StoreError} If the store fails.
   */
  take(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Uint8Array | undefined {
    const found = this.find(ids, idStart, kind);
    return found === "absent" ? this.seek(ids, idStart, kind) : found;
  }

  /**
   * As {@linkcode Objects.take}, for objects that may not be there.
   *
   * @param ids Bytes with its id.
   * @param idStart Where its 32 bytes begin.
   * @param kind Number of its kind.
   * @returns A view of its checked bytes, good until `release`; `undefined` while
   * some are on their way; `absent` where no table tells of it.
   * @throws {DamageError} If every copy is damaged.
   * @throws {IndexSyntaxError} If a page of the index is damaged, and nothing looks for packs.
   * @throws {StoreError} If the store fails.
   */
  find(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Uint8Array | "absent" | undefined {
    if (!this.#openTables()) return undefined;
    const answer = this.#ask(() => this.#index.locate(ids, idStart, kind));
    if (answer === undefined) return "absent";
    if (isPageRequest(answer)) return undefined;
    const copies = () => this.#copies(ids, idStart, kind);
    try {
      return this.#reader.take(answer, ids, idStart, copies);
    } catch (error) {
      if (!this.#isMoved(error, copies() ?? [])) throw error;
      this.#tables.wantSearch();
      return this.find(ids, idStart, kind);
    }
  }

  /** Whether a pack is gone for which nobody has looked yet: its objects may lie in another. */
  #isMoved(error: unknown, copies: readonly Location[]): boolean {
    if (this.#keeper === undefined || !(error instanceof NotFoundError)) {
      return false;
    }
    const { size } = this.#gone;
    for (const { packName } of copies) this.#gone.add(packName);
    const isMoved = this.#gone.size > size;
    if (this.#gone.size >= GONE_MAX) this.#gone.clear();
    return isMoved;
  }

  /**
   * Has the packs looked for that no sound table names, as an object is `absent`
   * in every form. A store that was away may come back: who asks again after the
   * error has all tables opened again.
   *
   * @param ids Bytes with its id.
   * @param idStart Where its 32 bytes begin.
   * @param kind Number of its kind.
   * @returns `undefined` while that is under way.
   * @throws {ObjectNotFoundError} If such packs do not hold it either.
   */
  seek(ids: Uint8Array, idStart: number, kind: number): undefined {
    if (this.#awaitsSearch()) return undefined;
    if (this.#isTableDropped) {
      this.#pages = this.#openIndex();
      this.#isTableDropped = false;
    }
    const id = ids.slice(idStart, idStart + ID_SIZE);
    throw new ObjectNotFoundError(id, kind);
  }

  /** Gives back every view that was handed out. */
  release(): void {
    this.#reader.release();
  }

  /** Asks the index; what it needs and is on its way is returned. */
  #ask<Answer extends object | undefined>(
    question: () => Answer | PageRequest,
  ): Answer | PageRequest {
    for (;;) {
      try {
        return this.#pages.ask(question);
      } catch (error) {
        this.#dropLiar(error);
      }
    }
  }

  /** All places of an object; undefined while they are on their way. */
  #copies(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Location[] | undefined {
    if (this.#awaitsSearch() || !this.#openTables()) return undefined;
    const answer = this.#ask(() => this.#index.locateAll(ids, idStart, kind));
    return isPageRequest(answer) ? undefined : answer;
  }

  /** Whether it is not known yet which packs there are that no sound table names. */
  #awaitsSearch(): boolean {
    if (this.#keeper === undefined) return false;
    const { wantedCount } = this.#tables;
    const { search } = this.#tables;
    if (search === "wanted") {
      if (this.#askedCount !== wantedCount) this.#keeper.search();
      this.#askedCount = wantedCount;
      return true;
    }
    // Other forms of the object may have been asked for before it ended.
    const isNew = this.#endedCount !== wantedCount;
    this.#endedCount = wantedCount;
    // The next one who needs it has it tried again.
    if (!isNew && search === "failed") this.#tables.wantSearch();
    return isNew;
  }

  get #index(): ObjectIndex {
    return this.#pages.index;
  }

  /** An index without tables. */
  #openIndex(): IndexReader {
    const index = new ObjectIndex({ cacheSize: INDEX_CACHE_SIZE });
    return new IndexReader(index, {
      ranges: this.#ranges,
      onFault: (request, error) => this.#passPage(request, error),
    });
  }

  /** Passes a page from now on that is not what it must be. */
  #passPage(request: PageRequest, error: unknown): void {
    if (error instanceof NotFoundError) this.#drop(request.table, error);
    else if (this.#keeper !== undefined && isFileDamage(error)) {
      this.#index.skipPage(request);
      this.#distrust(request.table, error);
    } else throw error;
  }

  /** Whether the tables that the list has now are open. */
  #openTables(): boolean {
    const first = this.#index.tables.length;
    const { count } = this.#tables;
    if (first === count) return true;
    const heads = this.#heads.read(first, count);
    if (heads === undefined) return false;
    this.#index.addTables(heads.files);
    for (const [number, error] of heads.failed) this.#drop(number, error);
    return true;
  }

  /** Looks no more into a table of which one row does not agree with the others. */
  #dropLiar(error: unknown): void {
    if (this.#keeper === undefined) throw error;
    if (!(error instanceof IndexSyntaxError)) throw error;
    const number = this.#index.tables.findIndex(({ name }) =>
      name === error.tableName
    );
    if (number < 0) throw error;
    this.#drop(number, error);
  }

  /** Looks no more into a table. */
  #drop(number: number, error: Error): void {
    this.#index.dropTable(number);
    this.#isTableDropped = true;
    // Another one may have taken the place of one that is gone.
    if (error instanceof NotFoundError) this.#tables.wantSearch();
    else this.#distrust(number, error);
  }

  /** Has the packs of a table looked for, once. */
  #distrust(number: number, error: unknown): void {
    if (this.#damaged.has(number)) return;
    this.#damaged.add(number);
    this.#tables.markDamaged(number);
    this.#keeper?.tellDamage(this.#tables.table(number).name, error);
  }
}
