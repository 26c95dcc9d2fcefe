import {
  compareIds,
  compareKeys,
  getU32,
  ID_SIZE,
  idPrefix,
} from "../bytes.ts";
import { crc32 } from "../crc32.ts";
import type { CodecTag } from "../codec/codec.ts";
import { IndexSyntaxError } from "../errors.ts";
import {
  FRAMES_PER_PAGE,
  INDEX_PAGE_SIZE,
  type IndexHead,
  indexHeadSize,
  type IndexPages,
  indexPages,
  PACK_ROW_SIZE,
  ROWS_PER_PAGE,
} from "./index_table.ts";
import type { IndexedPack, Location } from "../location.ts";
import type { PageCache } from "./page_cache.ts";
import { FRAME_ROW_SIZE, OBJECT_ROW_SIZE } from "../write/pack_footer.ts";

/** Result of a search where a page is not in the cache. */
export const PAGE_MISSING = -2;

/** Result of a search where a page is damaged. */
export const PAGE_DAMAGED = -4;

/** State of a pack of a table. */
export const PackState = { unknown: 0, good: 1, absent: 2, bad: 3 } as const;

/** One table of an index: its head in memory, its pages in a cache. */
export class OpenTable {
  readonly name: string;
  readonly size: number;
  readonly head: IndexHead;
  readonly bytes: Uint8Array | undefined;
  readonly number: number;
  readonly pages: IndexPages;
  readonly firstPage: number;
  /** Number of its first pack, frame and object within the whole index. */
  readonly packBase: number;
  readonly frameBase: number;
  readonly objectBase: number;
  /** One {@linkcode PackState} a pack. */
  readonly packStates: Uint8Array;
  /** Whether nothing is looked up here: another table replaces it, or it is gone. */
  replaced = false;
  /** Whether its file is gone from the store. */
  isGone = false;
  /** The page that a search did not find. */
  pageMissing = 0;
  /** Whether it was built in memory, of the tables of packs. */
  readonly isBuilt: boolean;
  /** Pages that are damaged: their rows are not there. */
  readonly damagedPages: Set<number> = new Set();

  constructor(
    file: {
      name: string;
      size: number;
      head: IndexHead;
      bytes?: Uint8Array | undefined;
      isBuilt?: boolean;
    },
    place: {
      number: number;
      packBase: number;
      frameBase: number;
      objectBase: number;
    },
  ) {
    this.name = file.name;
    this.size = file.size;
    this.head = file.head;
    this.bytes = file.bytes;
    this.isBuilt = file.isBuilt ?? false;
    this.number = place.number;
    this.packBase = place.packBase;
    this.frameBase = place.frameBase;
    this.objectBase = place.objectBase;
    this.pages = indexPages(file.head);
    this.packStates = new Uint8Array(file.head.packCount);
    this.firstPage = indexHeadSize({
      objectCount: file.head.objectCount,
      replacedCount: file.head.replaces.length / ID_SIZE,
    });
  }

  /** Where a pack row begins in the cache, or {@linkcode PAGE_MISSING}, or {@linkcode PAGE_DAMAGED}. */
  packRow(cache: PageCache, pack: number): number {
    const page = Math.floor(pack / ROWS_PER_PAGE);
    const start = this.#page(cache, page);
    return start < 0 ? start : start + (pack % ROWS_PER_PAGE) * PACK_ROW_SIZE;
  }

  /** Where a frame row begins in the cache, or {@linkcode PAGE_MISSING}, or {@linkcode PAGE_DAMAGED}. */
  frameRow(cache: PageCache, frame: number): number {
    const page = Math.floor(frame / FRAMES_PER_PAGE);
    const start = this.#page(cache, this.pages.framesFirst + page);
    if (start < 0) return start;
    return start + (frame % FRAMES_PER_PAGE) * FRAME_ROW_SIZE;
  }

  /** Where an object row begins in the cache, or {@linkcode PAGE_MISSING}, or {@linkcode PAGE_DAMAGED}. */
  objectRow(cache: PageCache, row: number): number {
    const page = Math.floor(row / ROWS_PER_PAGE);
    const start = this.#page(cache, this.pages.objectsFirst + page);
    if (start < 0) return start;
    return start + (row % ROWS_PER_PAGE) * OBJECT_ROW_SIZE;
  }

  /**
   * Number of the first row of an object, -1 where there is none, or
   * {@linkcode PAGE_MISSING}.
   */
  find(
    cache: PageCache,
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): number {
    const { fanOut, objectCount } = this.head;
    const prefix = idPrefix(ids, idStart);
    const above = lowerBound(fanOut, prefix);
    // The first rows with this prefix may end the page before.
    for (let page = Math.max(above - 1, 0); page < fanOut.length; page++) {
      if (fanOut[page] > prefix) return -1;
      const start = this.#page(cache, this.pages.objectsFirst + page);
      if (start === PAGE_DAMAGED) continue;
      if (start < 0) return start;
      const first = page * ROWS_PER_PAGE;
      const count = Math.min(ROWS_PER_PAGE, objectCount - first);
      const row = search(cache.bytes, start, count, { ids, idStart, kind });
      if (row >= 0) return first + row;
      if (row === -1) return -1;
    }
    return -1;
  }

  /**
   * Row of the next copy of the object at `at` in the cache, -1 where there is
   * none, {@linkcode PAGE_MISSING} or {@linkcode PAGE_DAMAGED}.
   */
  nextCopy(cache: PageCache, row: number, at: number): number {
    const next = row + 1;
    if (next >= this.head.objectCount) return -1;
    const start = this.objectRow(cache, next);
    if (start < 0) return start;
    return compareKeys(cache.bytes, at, cache.bytes, start) === 0 ? next : -1;
  }

  /** Fields of an object row, which begins at `at`, and of its frame row. */
  location(
    { bytes }: PageCache,
    { row, at, frame, frameRow, pack }: {
      readonly row: number;
      readonly at: number;
      readonly frame: number;
      readonly frameRow: number;
      readonly pack: IndexedPack;
    },
  ): Location {
    return {
      packNumber: pack.packNumber,
      packId: pack.packId,
      packName: pack.packName,
      packSize: pack.packSize,
      role: pack.role,
      objectKey: this.objectBase + row,
      frameKey: this.frameBase + frame,
      frameOffset: getU32(bytes, frameRow),
      storedSize: getU32(bytes, frameRow + 4),
      plainSize: getU32(bytes, frameRow + 8) & 0xffffff,
      codecTag: bytes[frameRow + 11] as CodecTag,
      crc: getU32(bytes, frameRow + 12),
      offset: getU32(bytes, at + 40),
      size: getU32(bytes, at + 44),
      kind: getU32(bytes, at + 32),
    };
  }

  /** Refuses bytes that are not the page at an offset; gives the number of the page. */
  checkPage(offset: number, bytes: Uint8Array): number {
    if (bytes.length !== INDEX_PAGE_SIZE) {
      const need = `it needs ${INDEX_PAGE_SIZE} bytes`;
      this.#refuse(need, `${bytes.length}`, offset);
    }
    const crc = crc32(bytes.subarray(0, INDEX_PAGE_SIZE - 4));
    const wanted = getU32(bytes, INDEX_PAGE_SIZE - 4);
    if (crc !== wanted) this.#refuse(`its CRC is ${wanted}`, `${crc}`, offset);
    const page = (offset - this.firstPage) / INDEX_PAGE_SIZE;
    const number = page - this.pages.objectsFirst;
    if (number >= 0 && idPrefix(bytes, 0) !== this.head.fanOut[number]) {
      this.#refuse("it begins with the id in the fan-out", "another", offset);
    }
    return page;
  }

  #refuse(need: string, found: string, offset: number): never {
    const { name: tableName } = this;
    throw new IndexSyntaxError(
      `Cannot read index page at ${offset} of ${tableName} as ${need}: found ${found}`,
      offset,
      { tableName },
    );
  }

  #page(cache: PageCache, page: number): number {
    const start = cache.find(this.number, page);
    if (start >= 0) return start;
    if (this.damagedPages.has(page)) return PAGE_DAMAGED;
    this.pageMissing = page;
    return PAGE_MISSING;
  }
}

/** First index whose number is not below the one wanted. */
function lowerBound(numbers: Uint32Array, wanted: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Key {
  readonly ids: Uint8Array;
  readonly idStart: number;
  readonly kind: number;
}

/** First row of the key in a page; -1: none at all; -3: all rows lie before it. */
function search(
  bytes: Uint8Array,
  start: number,
  count: number,
  key: Key,
): number {
  const { ids, idStart, kind } = key;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = start + middle * OBJECT_ROW_SIZE;
    const order = compareIds(bytes, at, ids, idStart) ||
      getU32(bytes, at + ID_SIZE) - kind;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  if (low === count) return -3;
  const at = start + low * OBJECT_ROW_SIZE;
  const same = compareIds(bytes, at, ids, idStart) === 0 &&
    getU32(bytes, at + ID_SIZE) === kind;
  return same ? low : -1;
}
