import { compareKeys, ID_SIZE, setU32 } from "../bytes.ts";
import type { IndexMerge } from "./index_merge.ts";
import { IndexPageWriter } from "./index_pages.ts";
import type { IndexRun, PageSteps } from "./index_run.ts";
import { indexName } from "../file_name.ts";
import type { Hasher } from "@snap/hash";
import type { PackSet } from "../index/pack_set.ts";
import {
  encodeIndexHead,
  INDEX_PAGE_SIZE,
  indexHeadSize,
  indexPages,
  PACK_ROW_SIZE,
  ROWS_PER_PAGE,
} from "../index/index_table.ts";
import { FRAME_ROW_SIZE, OBJECT_ROW_SIZE } from "../write/pack_footer.ts";

/** An index table that was written. */
export interface BuiltIndex {
  /** Its id: BLAKE3 of the file, 32 bytes. */
  readonly id: Uint8Array;
  /** Its name in a store. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
  /** Number of packs. */
  readonly packCount: number;
  /** Number of frames. */
  readonly frameCount: number;
  /** Number of objects. */
  readonly objectCount: number;
}

/** Where tables go. */
export interface IndexSink {
  /**
   * Writes the next bytes of a table.
   *
   * @param bytes The bytes, good until the call returns
   */
  write(bytes: Uint8Array): void;
  /**
   * Says that a table is whole; what follows belongs to the next. Each table
   * is to be durable before the one after it, as the last one says what all of
   * them replace.
   *
   * @param table The table
   */
  end(table: BuiltIndex): void;
}

/** Options of everything that writes index tables. */
export interface IndexOptions {
  /** Save id of the run, 16 bytes. */
  readonly saveId: Uint8Array;
  /** Random salt, 32 bytes; of further tables one that is made from it. */
  readonly salt: Uint8Array;
  /** Time of writing, milliseconds since 1970. */
  readonly timeMs: number;
  /** Hasher. */
  readonly hasher: Hasher;
  /** Largest size of a table in bytes, 1 GiB if left out. */
  readonly sizeMax?: number;
  /** The packs that are there: rows of others are left out. */
  readonly present?: PackSet;
}

/** Options of an {@linkcode IndexTableWriter}. */
interface WriterOptions extends IndexOptions {
  readonly sizeMax: number;
  /** Ids of the tables that the last one replaces. */
  readonly replaces: Uint8Array;
}

/** Contents of one table, counted before a byte of it is written. */
interface Plan {
  readonly objectCount: number;
  readonly fanOut: Uint32Array;
  /** Whether no object is left for another table. */
  readonly isLast: boolean;
  /** New numbers of frames and packs plus 1, 0 where unused; undefined: all. */
  readonly frames: Uint32Array | undefined;
  readonly packs: Uint32Array | undefined;
  readonly frameCount: number;
  readonly packCount: number;
}

/** Drops rows that stand in several sources. */
class LastRow {
  readonly #bytes = new Uint8Array(OBJECT_ROW_SIZE);
  #frame = -1;

  isNew({ objects, row, frame }: IndexRun): boolean {
    const { bytes } = objects;
    const at = objects.at(row);
    if (frame === this.#frame && compareKeys(this.#bytes, 0, bytes, at) === 0) {
      return false;
    }
    for (let i = 0; i < ID_SIZE + 4; i++) this.#bytes[i] = bytes[at + i];
    this.#frame = frame;
    return true;
  }
}

/** Rows counted so far for a table. */
interface CountedRows {
  count: number;
  /** Prefix of the first row of each page. */
  readonly fanOut: number[];
  readonly last: LastRow;
}

/** Rows written so far of a table. */
interface WrittenRows {
  readonly plan: Plan;
  readonly pages: IndexPageWriter;
  count: number;
  readonly last: LastRow;
}

/** Writes the rows of a merge as tables, one after the other. */
export class IndexTableWriter {
  readonly #merge: IndexMerge;
  readonly #sink: IndexSink;
  readonly #options: WriterOptions;
  #packOfFrame: Uint32Array | undefined;

  constructor(merge: IndexMerge, sink: IndexSink, options: WriterOptions) {
    this.#merge = merge;
    this.#sink = sink;
    this.#options = options;
  }

  /** Writes the table whose rows come next. */
  *write(number: number): PageSteps<BuiltIndex> {
    const merge = this.#merge;
    const positions = merge.positions();
    const fits = number === 0 && this.#sizeOf({
          packCount: merge.packCount,
          frameCount: merge.frameCount,
          objectCount: merge.objectCountMax,
        }) <= this.#options.sizeMax;
    const plan = fits ? yield* this.#planAll() : yield* this.#planPart();
    const hash = this.#options.hasher.stream();
    const pages = new IndexPageWriter((bytes) => this.#sink.write(bytes), hash);
    const { packCount, frameCount, objectCount } = plan;
    pages.append(this.#head(plan, number));
    yield* this.#writeRows(plan, pages, positions);
    const id = new Uint8Array(ID_SIZE);
    hash.digestInto(id);
    const { size } = pages;
    const name = indexName(id);
    const table = { id, name, size, packCount, frameCount, objectCount };
    this.#sink.end(table);
    return table;
  }

  #sizeOf(
    counts: { packCount: number; frameCount: number; objectCount: number },
  ): number {
    const { objectCount } = counts;
    const replacedCount = this.#options.replaces.length / ID_SIZE;
    return indexHeadSize({ objectCount, replacedCount }) +
      indexPages(counts).count * INDEX_PAGE_SIZE;
  }

  #head(plan: Plan, number: number): Uint8Array {
    const { saveId, timeMs, hasher, replaces } = this.#options;
    const { packCount, frameCount, objectCount, fanOut } = plan;
    return encodeIndexHead({
      packCount,
      frameCount,
      objectCount,
      fanOut,
      saveId,
      timeMs,
      salt: this.#saltOf(number),
      replaces: plan.isLast ? replaces : new Uint8Array(0),
    }, hasher);
  }

  #saltOf(number: number): Uint8Array {
    const { salt, hasher } = this.#options;
    if (number === 0) return salt;
    const seed = new Uint8Array(salt.length + 4);
    seed.set(salt);
    setU32(seed, salt.length, number);
    const next = new Uint8Array(ID_SIZE);
    hasher.hashInto(seed, next);
    return next;
  }

  /** All rows that are left, with all packs and frames. */
  *#planAll(): PageSteps<Plan> {
    const { packCount, frameCount } = this.#merge;
    const counted: CountedRows = { count: 0, fanOut: [], last: new LastRow() };
    while (this.#countRows(counted)) yield* this.#merge.skip();
    return {
      objectCount: counted.count,
      fanOut: Uint32Array.from(counted.fanOut),
      isLast: true,
      frames: undefined,
      packs: undefined,
      frameCount,
      packCount,
    };
  }

  /** Counts rows at hand, and says whether there are more. */
  #countRows(counted: CountedRows): boolean {
    const merge = this.#merge;
    for (let run = merge.top; run !== undefined; run = merge.top) {
      if (
        counted.last.isNew(run) && counted.count++ % ROWS_PER_PAGE === 0
      ) counted.fanOut.push(run.prefix);
      if (!merge.step()) return true;
    }
    return false;
  }

  /** As many rows as fit, with the packs and frames that they need. */
  *#planPart(): PageSteps<Plan> {
    const merge = this.#merge;
    const packOf = yield* this.#packsOfFrames();
    const frames = new Uint32Array(merge.frameCount);
    const packs = new Uint32Array(merge.packCount);
    const counts = { packCount: 0, frameCount: 0, objectCount: 0 };
    const fanOut: number[] = [];
    const take = ({ frame, prefix }: IndexRun): boolean => {
      const grown = {
        packCount: counts.packCount + (packs[packOf[frame]] === 0 ? 1 : 0),
        frameCount: counts.frameCount + (frames[frame] === 0 ? 1 : 0),
        objectCount: counts.objectCount + 1,
      };
      const isFull = this.#sizeOf(grown) > this.#options.sizeMax;
      if (isFull && counts.objectCount > 0) return false;
      if (counts.objectCount % ROWS_PER_PAGE === 0) fanOut.push(prefix);
      Object.assign(counts, grown);
      frames[frame] = 1;
      packs[packOf[frame]] = 1;
      return true;
    };
    const last = new LastRow();
    for (let run = merge.top; run !== undefined; run = merge.top) {
      if (last.isNew(run) && !take(run)) break;
      if (!merge.step()) yield* merge.skip();
    }
    number(frames);
    number(packs);
    const isLast = merge.top === undefined;
    return {
      ...counts,
      fanOut: Uint32Array.from(fanOut),
      isLast,
      frames,
      packs,
    };
  }

  *#packsOfFrames(): PageSteps<Uint32Array> {
    if (this.#packOfFrame !== undefined) return this.#packOfFrame;
    const packOf = new Uint32Array(this.#merge.frameCount);
    let frame = 0;
    yield* this.#merge.eachFrame((_bytes, _at, pack) => packOf[frame++] = pack);
    this.#packOfFrame = packOf;
    return packOf;
  }

  *#writeRows(
    plan: Plan,
    pages: IndexPageWriter,
    positions: Float64Array,
  ): PageSteps<void> {
    const { frames, packs } = plan;
    yield* this.#writePacks(plan, pages);
    let old = 0;
    yield* this.#merge.eachFrame((bytes, at, pack) => {
      if (frames !== undefined && frames[old++] === 0) return;
      const place = copy(bytes, at, pages, FRAME_ROW_SIZE);
      const packNumber = packs === undefined ? pack : packs[pack] - 1;
      setU32(pages.bytes, place + 16, packNumber);
    });
    pages.endPage();
    yield* this.#merge.rewind(positions);
    const written: WrittenRows = { plan, pages, count: 0, last: new LastRow() };
    while (this.#copyRows(written)) yield* this.#merge.skip();
    pages.endPage();
    pages.flush();
  }

  /** Copies rows at hand, and says whether the table has more. */
  #copyRows(written: WrittenRows): boolean {
    const { pages, plan: { frames, objectCount }, last } = written;
    const merge = this.#merge;
    for (let run = merge.top; run !== undefined; run = merge.top) {
      if (last.isNew(run)) {
        if (written.count === objectCount) return false;
        written.count++;
        const { objects, row, frame } = run;
        const place = copy(
          objects.bytes,
          objects.at(row),
          pages,
          OBJECT_ROW_SIZE,
        );
        const number = frames === undefined ? frame : frames[frame] - 1;
        setU32(pages.bytes, place + 36, number);
      }
      if (!merge.step()) return true;
    }
    return false;
  }

  *#writePacks(plan: Plan, pages: IndexPageWriter): PageSteps<void> {
    const merge = this.#merge;
    const counts = new Uint32Array(merge.packCount);
    let old = 0;
    yield* merge.eachFrame((_bytes, _at, pack) => {
      if (plan.frames === undefined || plan.frames[old++] !== 0) counts[pack]++;
    });
    let first = 0;
    for (let pack = 0; pack < merge.packCount; pack++) {
      if (plan.packs !== undefined && plan.packs[pack] === 0) continue;
      const at = pack * PACK_ROW_SIZE;
      const place = copy(merge.packRows, at, pages, PACK_ROW_SIZE);
      setU32(pages.bytes, place + 40, first);
      setU32(pages.bytes, place + 44, counts[pack]);
      first += counts[pack];
    }
    pages.endPage();
  }
}

function copy(
  bytes: Uint8Array,
  at: number,
  pages: IndexPageWriter,
  size: number,
): number {
  const place = pages.place(size);
  const out = pages.bytes;
  for (let i = 0; i < size; i++) out[place + i] = bytes[at + i];
  return place;
}

/** Numbers what is used, from 1. */
function number(used: Uint32Array): void {
  let count = 0;
  for (let i = 0; i < used.length; i++) if (used[i] !== 0) used[i] = ++count;
}
