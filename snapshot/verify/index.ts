import { crc32 } from "node:zlib";
import { equalBytes, type Hasher, ID_SIZE } from "@snap/hash";
import { indexIdOf, packName } from "@snap/pack";
import {
  FRAMES_PER_PAGE,
  INDEX_PAGE_SIZE,
  type IndexFile,
  indexPages,
  PACK_ROW_SIZE,
  ROWS_PER_PAGE,
} from "@snap/pack/index";
import { FRAME_ROW_SIZE, OBJECT_ROW_SIZE } from "@snap/pack/write";
import { type AwaitedRanges, takeRange } from "@snap/pack/read";
import type { Pacer } from "@snap/posix/pacer";
import type { StoreOptions } from "@snap/store";
import type { VerifyProgress } from "./verify_progress.ts";

const READ_SIZE = 1 << 20;

/** Result of the check of a table. */
export interface CheckedIndex {
  /** Problems of the table. */
  readonly problems: readonly string[];
}

/** What a table is read with. */
export interface IndexCheckParts {
  /** Bytes of the store. */
  readonly ranges: AwaitedRanges;
  /** Counts bytes. */
  readonly counts: VerifyProgress;
  /** Lets other work go on. */
  readonly pacer: Pacer;
  /** What ends the wait. */
  readonly storeOptions: StoreOptions;
  /** Takes each page that is sound. */
  readonly onPage?: ((offset: number, bytes: Uint8Array) => void) | undefined;
}

/**
 * Reads all of an index table: its name, the checksum of each page, and how many
 * objects it claims for each pack.
 */
export class IndexCheck {
  readonly #hasher: Hasher;
  /** By name of pack: object rows in tables that count. */
  readonly rowCounts: Map<string, number> = new Map();

  /** Checks nothing yet. */
  constructor(hasher: Hasher) {
    this.#hasher = hasher;
  }

  /** Checks a table; reads it once more, from the store itself, before it is called damaged. */
  async check(file: IndexFile, parts: IndexCheckParts): Promise<CheckedIndex> {
    const first = await this.#read(file, parts);
    if (first.problems.length === 0) return first;
    return await this.#read(file, parts, "again");
  }

  async #read(
    file: IndexFile,
    parts: IndexCheckParts,
    when?: "again",
  ): Promise<CheckedIndex> {
    const { name, size } = file;
    const { ranges, counts, pacer, storeOptions, onPage } = parts;
    const problems: string[] = [];
    const hash = this.#hasher.stream();
    const pages = new PageRows(file);
    for (let start = 0; start < size; start += READ_SIZE) {
      const length = Math.min(READ_SIZE, size - start);
      const range = { name, offset: start, length };
      if (when === "again") ranges.distrust(name, start, length);
      const reading = takeRange(ranges, range, storeOptions);
      const bytes = reading instanceof Promise ? await reading : reading;
      hash.update(bytes);
      for (let at = 0; at < length; at += INDEX_PAGE_SIZE) {
        const page = bytes.subarray(at, at + INDEX_PAGE_SIZE);
        if (pages.add(start + at, page)) onPage?.(start + at, page);
      }
      if (when !== "again") counts.byteCount += length;
      await pacer.yield(length);
    }
    const actual = new Uint8Array(ID_SIZE);
    hash.digestInto(actual);
    const id = indexIdOf(name);
    if (id === undefined || !equalBytes(actual, 0, id, 0, ID_SIZE)) {
      problems.push("its BLAKE3 needs to be its name: found another");
    }
    problems.push(...pages.problems);
    pages.countInto(this.rowCounts);
    return { problems };
  }
}

/** Takes the pages of a table one by one, and counts the objects of each pack. */
class PageRows {
  readonly problems: string[] = [];
  readonly #file: IndexFile;
  readonly #packNames: string[] = [];
  readonly #packOfFrame: Uint32Array;
  readonly #rowCounts: Float64Array;
  readonly #firstPage: number;

  constructor(file: IndexFile) {
    this.#file = file;
    const { head, size } = file;
    this.#packOfFrame = new Uint32Array(head.frameCount);
    this.#rowCounts = new Float64Array(head.packCount);
    this.#firstPage = size - indexPages(head).count * INDEX_PAGE_SIZE;
  }

  /** Takes a page; says whether it is sound, and no part of the head. */
  add(offset: number, bytes: Uint8Array): boolean {
    if (offset < this.#firstPage) return false;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const end = INDEX_PAGE_SIZE - 4;
    if (crc32(bytes.subarray(0, end)) !== view.getUint32(end, true)) {
      this.problems.push(`the checksum of its part at byte ${offset} is wrong`);
      return false;
    }
    const page = (offset - this.#firstPage) / INDEX_PAGE_SIZE;
    const { head } = this.#file;
    const { framesFirst, objectsFirst } = indexPages(head);
    if (page < framesFirst) {
      const first = page * ROWS_PER_PAGE;
      const count = Math.min(ROWS_PER_PAGE, head.packCount - first);
      for (let row = 0; row < count; row++) {
        this.#packNames[first + row] = packName(bytes, row * PACK_ROW_SIZE);
      }
    } else if (page < objectsFirst) {
      const first = (page - framesFirst) * FRAMES_PER_PAGE;
      const count = Math.min(FRAMES_PER_PAGE, head.frameCount - first);
      for (let row = 0; row < count; row++) {
        const at = row * FRAME_ROW_SIZE + 16;
        this.#packOfFrame[first + row] = view.getUint32(at, true);
      }
    } else {
      const first = (page - objectsFirst) * ROWS_PER_PAGE;
      const count = Math.min(ROWS_PER_PAGE, head.objectCount - first);
      for (let row = 0; row < count; row++) {
        const frame = view.getUint32(row * OBJECT_ROW_SIZE + 36, true);
        this.#rowCounts[this.#packOfFrame[frame]]++;
      }
    }
    return true;
  }

  countInto(counts: Map<string, number>): void {
    if (this.problems.length > 0) return;
    this.#packNames.forEach((name, pack) => {
      counts.set(name, (counts.get(name) ?? 0) + this.#rowCounts[pack]);
    });
  }
}
