/**
 * Finds objects in the index tables of a store, page by page, without I/O.
 *
 * @module
 */
import { getU32, ID_SIZE } from "../bytes.ts";
import {
  OpenTable,
  PackState,
  PAGE_DAMAGED,
  PAGE_MISSING,
} from "./open_table.ts";
import { PageCache } from "./page_cache.ts";
import { IndexSyntaxError } from "../errors.ts";
import { packName } from "../file_name.ts";
import { type IndexFile, replacedTables } from "./index_file.ts";
import { INDEX_PAGE_SIZE } from "./index_table.ts";
import {
  type IndexedPack,
  isPageRequest,
  type Location,
  locationProblem,
  type PageRequest,
} from "../location.ts";
import type { PackSet } from "./pack_set.ts";

/** Memory for pages in bytes where nothing else is asked for. */
export const INDEX_CACHE_SIZE: number = 4 << 20;

/** Most copies of one object that {@linkcode ObjectIndex.locateAll} returns. */
export const COPIES_MAX = 64;

/**
 * Finds objects in index tables. Only heads are in memory; where a page is
 * missing a call returns the request for it, and is made again once
 * {@linkcode ObjectIndex.give} has got the bytes. A table that another one
 * replaces is not looked into. A row is a claim: rows of packs that are not
 * present do not count, those of bad packs count where there are no others.
 */
export class ObjectIndex {
  /** Names of packs that were needed and stand in a table alone that was built in memory. */
  readonly usedPacks: Set<string> = new Set();
  readonly #cacheSize: number;
  readonly #tables: OpenTable[] = [];
  readonly #badPacks = new Set<string>();
  #cache: PageCache;
  #present: PackSet | undefined;
  #packs = new Map<number, IndexedPack>();
  /** Where the next table begins. */
  readonly #next = { packBase: 0, frameBase: 0, objectBase: 0 };

  /**
   * An index without tables, whose pages take `cacheSize` bytes (4 MiB if left out), or as
   * many as one look-up in every table needs.
   */
  constructor(options: { readonly cacheSize?: number } = {}) {
    this.#cacheSize = options.cacheSize ?? INDEX_CACHE_SIZE;
    // Without tables nothing is looked up.
    this.#cache = new PageCache(1);
  }

  /** Tables in the order of their numbers, replaced ones too. */
  get tables(): readonly IndexFile[] {
    return this.#tables;
  }

  /** Tables that no other one replaces. */
  get liveTables(): readonly IndexFile[] {
    return this.#tables.filter(({ replaced }) => !replaced);
  }

  /** Number of packs in all tables; some may stand in several. */
  get packCount(): number {
    return this.#next.packBase;
  }

  /**
   * Adds tables, in the order that numbers their packs and frames.
   *
   * @param files The tables
   */
  addTables(files: Iterable<IndexFile>): void {
    for (const file of files) {
      const number = this.#tables.length;
      this.#tables.push(new OpenTable(file, { number, ...this.#next }));
      this.#next.packBase += file.head.packCount;
      this.#next.frameBase += file.head.frameCount;
      this.#next.objectBase += file.head.objectCount;
    }
    this.#markReplaced();
    if (this.#cache.pageCount < this.#pagesWanted()) {
      this.#cache = new PageCache(this.#pagesWanted());
    }
  }

  /**
   * Says that the file of a table is gone from the store: nothing is looked up in
   * it any more, and the numbers of the others stay.
   *
   * @param number Number of the table
   */
  dropTable(number: number): void {
    this.#tables[number].isGone = true;
    this.#markReplaced();
  }

  /**
   * Says that a page is damaged: its rows are not there any more.
   *
   * @param request The request for the page
   */
  skipPage(request: PageRequest): void {
    const table = this.#tables[request.table];
    const page = (request.offset - table.firstPage) / INDEX_PAGE_SIZE;
    table.damagedPages.add(page);
  }

  /**
   * Tells whether a pack stands in a table that is believed in full.
   *
   * @param packNumber Number of the pack within the index
   * @returns Whether no page of its table was found to be damaged
   */
  isInSoundTable(packNumber: number): boolean {
    return this.#tableOf(packNumber).damagedPages.size === 0;
  }

  /**
   * Says which packs are there. Without it every pack counts as present.
   *
   * @param packs The packs with their sizes
   */
  setPresentPacks(packs: PackSet | undefined): void {
    this.#present = packs;
    this.#forgetStates();
  }

  /**
   * Says that a pack is damaged: other copies of its objects come first.
   *
   * @param packId Its id, 32 bytes
   */
  markBad(packId: Uint8Array): void {
    this.#badPacks.add(packName(packId));
    this.#forgetStates();
  }

  /** Tells whether a pack was marked as damaged. */
  isBad(pack: IndexedPack): boolean {
    return this.#badPacks.has(pack.packName);
  }

  /**
   * Finds an object.
   *
   * @param ids Bytes with its id
   * @param idStart Where its 32 bytes begin
   * @param kind Number of its kind
   * @returns Where it lies, the page that is needed to say so, or `undefined`
   * where no pack that is present holds it
   * @throws {IndexSyntaxError} If a row does not agree with its frame or pack
   */
  locate(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Location | PageRequest | undefined {
    return this.#answer(() => this.#locate(ids, idStart, kind));
  }

  #locate(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Location | PageRequest | undefined {
    let last: Location | undefined;
    for (const table of this.#tables) {
      if (table.replaced) continue;
      let row = table.find(this.#cache, ids, idStart, kind);
      if (row === -1) continue;
      for (let at = 0; row >= 0; row = table.nextCopy(this.#cache, row, at)) {
        at = table.objectRow(this.#cache, row);
        const answer = this.#location(table, row, at);
        if (answer === undefined) continue;
        if ("table" in answer) return answer;
        if (!this.#isBadNumber(table, answer)) return this.#use(table, answer);
        last ??= this.#use(table, answer);
      }
      if (row === PAGE_MISSING) return this.#request(table);
    }
    return last;
  }

  /**
   * Finds the copies of an object, those in bad packs last.
   *
   * @param ids Bytes with its id
   * @param idStart Where its 32 bytes begin
   * @param kind Number of its kind
   * @returns Where they lie, at most 64, or the page that is needed to say so
   * @throws {IndexSyntaxError} If a row does not agree with its frame or pack
   */
  locateAll(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Location[] | PageRequest {
    return this.#answer(() => this.#locateAll(ids, idStart, kind));
  }

  #locateAll(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Location[] | PageRequest {
    const good: Location[] = [];
    const bad: Location[] = [];
    for (const table of this.#tables) {
      if (table.replaced) continue;
      let row = table.find(this.#cache, ids, idStart, kind);
      for (let at = 0; row >= 0; row = table.nextCopy(this.#cache, row, at)) {
        at = table.objectRow(this.#cache, row);
        const answer = this.#location(table, row, at);
        if (answer === undefined) continue;
        if ("table" in answer) return answer;
        (this.#isBadNumber(table, answer) ? bad : good).push(answer);
        if (good.length + bad.length === COPIES_MAX) return [...good, ...bad];
      }
      if (row === PAGE_MISSING) return this.#request(table);
    }
    return [...good, ...bad];
  }

  /**
   * Takes the page that was asked for.
   *
   * @param request The request
   * @param bytes The 4096 bytes at its offset; they are copied
   * @throws {IndexSyntaxError} If they are not that page
   */
  give(request: PageRequest, bytes: Uint8Array): void {
    const page = this.#tables[request.table].checkPage(request.offset, bytes);
    this.#cache.put(request.table, page, bytes);
  }

  /**
   * Reads a pack row.
   *
   * @param packNumber Number of the pack within the index
   * @returns The pack, the page that is needed to say so, or `undefined` where
   * its table is replaced by another, or its page is damaged
   */
  packAt(packNumber: number): IndexedPack | PageRequest | undefined {
    const table = this.#tableOf(packNumber);
    if (table.replaced) return undefined;
    return this.#answer(() => this.#packOf(table, packNumber - table.packBase));
  }

  /** Asks until a page is needed that is not in memory. */
  #answer<Answer extends object | undefined>(
    question: () => Answer | PageRequest,
  ): Answer | PageRequest {
    for (;;) {
      const answer = question();
      if (!isPageRequest(answer)) return answer;
      const table = this.#tables[answer.table];
      if (table.bytes === undefined) return answer;
      const { offset, length } = answer;
      const page = (offset - table.firstPage) / INDEX_PAGE_SIZE;
      const bytes = table.bytes.subarray(offset, offset + length);
      this.#cache.put(table.number, page, bytes);
    }
  }

  #tableOf(packNumber: number): OpenTable {
    const table = this.#tables.findLast((one) => one.packBase <= packNumber);
    if (table === undefined || !(packNumber < this.packCount)) {
      throw new RangeError(
        `Cannot read pack as its number is below ${this.packCount}: found ${packNumber}`,
      );
    }
    return table;
  }

  #use(table: OpenTable, location: Location): Location {
    if (table.isBuilt) this.usedPacks.add(location.packName);
    return location;
  }

  /** Fields of an object row, which begins at `at`; undefined where its pack is not present. */
  #location(
    table: OpenTable,
    row: number,
    at: number,
  ): Location | PageRequest | undefined {
    const { bytes } = this.#cache;
    const frame = getU32(bytes, at + 36);
    if (frame >= table.head.frameCount) this.#refuse(table, "frame number");
    const frameRow = table.frameRow(this.#cache, frame);
    if (frameRow === PAGE_DAMAGED) return undefined;
    if (frameRow < 0) return this.#request(table);
    const number = getU32(bytes, frameRow + 16);
    if (number >= table.head.packCount) this.#refuse(table, "pack number");
    if (table.packStates[number] === PackState.absent) return undefined;
    const pack = this.#packs.get(table.packBase + number) ??
      this.#packOf(table, number);
    if (pack === undefined || "table" in pack) return pack;
    if (table.packStates[number] === PackState.unknown) {
      table.packStates[number] = this.#stateOf(pack);
      if (table.packStates[number] === PackState.absent) return undefined;
    }
    const location = table.location(this.#cache, {
      row,
      at,
      frame,
      frameRow,
      pack,
    });
    const problem = locationProblem(location);
    if (problem !== undefined) this.#refuse(table, problem);
    return location;
  }

  #packOf(
    table: OpenTable,
    number: number,
  ): IndexedPack | PageRequest | undefined {
    const row = table.packRow(this.#cache, number);
    if (row === PAGE_DAMAGED) return undefined;
    if (row < 0) return this.#request(table);
    return this.#pack(table.packBase + number, row);
  }

  #pack(packNumber: number, row: number): IndexedPack {
    const { bytes } = this.#cache;
    const packId = bytes.slice(row, row + ID_SIZE);
    const pack: IndexedPack = {
      packNumber,
      packId,
      packName: packName(packId),
      packSize: getU32(bytes, row + 32),
      role: getU32(bytes, row + 36),
    };
    if (this.#packs.size >= 4096) this.#packs.clear();
    this.#packs.set(packNumber, pack);
    return pack;
  }

  #stateOf(pack: IndexedPack): number {
    const { packId, packSize } = pack;
    if (
      this.#present !== undefined &&
      this.#present.sizeOf(packId, 0) !== packSize
    ) return PackState.absent;
    return this.isBad(pack) ? PackState.bad : PackState.good;
  }

  #isBadNumber(table: OpenTable, location: Location): boolean {
    const number = location.packNumber - table.packBase;
    return table.packStates[number] === PackState.bad;
  }

  #request(table: OpenTable): PageRequest {
    const offset = table.firstPage + table.pageMissing * INDEX_PAGE_SIZE;
    const { number, name, size: fileSize } = table;
    return { table: number, name, fileSize, offset, length: 4096 };
  }

  #refuse(table: OpenTable, what: string): never {
    throw new IndexSyntaxError(
      `Cannot read a row of ${table.name}: its ${what} is wrong`,
      0,
      { tableName: table.name },
    );
  }

  #forgetStates(): void {
    for (const table of this.#tables) table.packStates.fill(PackState.unknown);
  }

  #markReplaced(): void {
    const replaced = replacedTables(
      this.#tables.filter(({ isGone }) => !isGone),
    );
    for (const table of this.#tables) {
      table.replaced = table.isGone || replaced.has(table.name);
    }
  }

  /** Room for every page of the tables, as far as it is allowed; for a look-up in each. */
  #pagesWanted(): number {
    const size = this.#tables.reduce((sum, { size }) => sum + size, 0);
    const pages = Math.min(size, this.#cacheSize) / INDEX_PAGE_SIZE;
    const least = 4 * COPIES_MAX + 4 * this.#tables.length;
    return Math.max(Math.ceil(pages), least);
  }
}
