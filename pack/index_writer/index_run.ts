import { crc32 } from "../crc32.ts";
import { compareKeys, getU32, ID_SIZE, idPrefix, setU32 } from "../bytes.ts";
import { IndexSyntaxError } from "../errors.ts";
import {
  FRAMES_PER_PAGE,
  INDEX_PAGE_SIZE,
  indexHeadSize,
  indexPages,
  PACK_ROW_SIZE,
  ROWS_PER_PAGE,
} from "../index/index_table.ts";
import type { IndexFile } from "../index/index_file.ts";
import type { PageRequest } from "../location.ts";
import type { PackTable } from "../write/pack_table.ts";
import { FRAME_ROW_SIZE, OBJECT_ROW_SIZE } from "../write/pack_footer.ts";

/** Steps that ask for pages of tables, are given their bytes, and return a result. */
export type PageSteps<T> = Generator<PageRequest, T, Uint8Array>;

/** A pack that goes into an index. */
export interface IndexPack {
  /** Its id, 32 bytes. */
  readonly id: Uint8Array;
  /** Its size in bytes. */
  readonly size: number;
  /** Its role: data or trees. */
  readonly role: number;
  /** Its table. */
  readonly table: PackTable;
}

/** Stands for a frame whose pack is left out. */
export const FRAME_DROPPED = 0xffffffff;

/** Rows of one sort, of which some are at hand. */
export class Window {
  bytes: Uint8Array;
  start = 0;
  first = 0;
  end: number;
  readonly rowSize: number;
  readonly perPage: number;
  readonly firstPage: number;

  constructor(
    bytes: Uint8Array,
    rowSize: number,
    rows: { end: number; perPage?: number; firstPage?: number },
  ) {
    this.bytes = bytes;
    this.rowSize = rowSize;
    this.end = rows.end;
    this.perPage = rows.perPage ?? 0;
    this.firstPage = rows.firstPage ?? 0;
  }

  /** Whether a row is at hand. */
  has(row: number): boolean {
    return row >= this.first && row < this.end;
  }

  /** Where a row begins in `bytes`. */
  at(row: number): number {
    return this.start + (row - this.first) * this.rowSize;
  }
}

/** Sorted rows that go into an index: those of a pack, or of a table. */
export class IndexRun {
  readonly packs: Window;
  readonly frames: Window;
  readonly objects: Window;
  readonly packCount: number;
  readonly frameCount: number;
  readonly objectCount: number;
  /** New number of each frame, or {@linkcode FRAME_DROPPED}. */
  readonly frameMap: Uint32Array;
  /** The object row that comes next. */
  row = 0;
  /** New number of its frame, and the first bytes of its id. */
  frame = 0;
  prefix = 0;
  readonly #file: IndexFile | undefined;
  readonly #number: number;

  private constructor(
    windows: { packs: Window; frames: Window; objects: Window },
    counts: { packCount: number; frameCount: number; objectCount: number },
    file?: { number: number; file: IndexFile },
  ) {
    this.packs = windows.packs;
    this.frames = windows.frames;
    this.objects = windows.objects;
    this.packCount = counts.packCount;
    this.frameCount = counts.frameCount;
    this.objectCount = counts.objectCount;
    this.frameMap = new Uint32Array(counts.frameCount);
    this.#file = file?.file;
    this.#number = file?.number ?? 0;
  }

  /** The rows of a pack, all at hand. */
  static ofPack({ id, size, role, table }: IndexPack): IndexRun {
    const { frameCount, objectCount, objectsStart } = table;
    const pack = new Uint8Array(PACK_ROW_SIZE);
    pack.set(id);
    setU32(pack, 32, size);
    setU32(pack, 36, role);
    setU32(pack, 44, frameCount);
    const packs = new Window(pack, PACK_ROW_SIZE, { end: 1 });
    const frames = new Window(table.bytes, FRAME_ROW_SIZE, { end: frameCount });
    const objects = new Window(table.bytes, OBJECT_ROW_SIZE, {
      end: objectCount,
    });
    objects.start = objectsStart;
    const counts = { packCount: 1, frameCount, objectCount };
    return new IndexRun({ packs, frames, objects }, counts);
  }

  /** The rows of a table, a page of each sort at hand. */
  static ofFile(file: IndexFile, number: number): IndexRun {
    const { framesFirst, objectsFirst } = indexPages(file.head);
    const window = (rowSize: number, perPage: number, firstPage: number) =>
      new Window(new Uint8Array(INDEX_PAGE_SIZE), rowSize, {
        end: 0,
        perPage,
        firstPage,
      });
    const packs = window(PACK_ROW_SIZE, ROWS_PER_PAGE, 0);
    const frames = window(FRAME_ROW_SIZE, FRAMES_PER_PAGE, framesFirst);
    const objects = window(OBJECT_ROW_SIZE, ROWS_PER_PAGE, objectsFirst);
    return new IndexRun({ packs, frames, objects }, file.head, {
      number,
      file,
    });
  }

  /** Gets the page with a row. */
  *load(window: Window, row: number): PageSteps<void> {
    const file = this.#file;
    if (file === undefined) {
      throw new RangeError(`Cannot load row ${row} of pack`);
    }
    const { name, head } = file;
    const page = Math.floor(row / window.perPage);
    const headSize = indexHeadSize({
      objectCount: head.objectCount,
      replacedCount: head.replaces.length / ID_SIZE,
    });
    const offset = headSize + (window.firstPage + page) * INDEX_PAGE_SIZE;
    const table = this.#number;
    const bytes = yield { table, name, offset, length: INDEX_PAGE_SIZE };
    checkIndexPage(bytes, name, offset);
    window.bytes.set(bytes);
    window.first = page * window.perPage;
    window.end = window.first + window.perPage;
  }

  /**
   * Moves to an object row, or past those whose packs are left out, and says
   * whether there is one.
   */
  *seek(row: number): PageSteps<boolean> {
    for (this.row = row; this.row < this.objectCount; this.row++) {
      if (!this.objects.has(this.row)) yield* this.#loadObjects();
      if (this.settle()) return true;
    }
    return false;
  }

  /** Moves to the next row at hand; false where `seek` is needed. */
  step(): boolean {
    const row = this.row + 1;
    if (row >= this.objectCount || !this.objects.has(row)) return false;
    const at = this.objects.at(row);
    this.#checkOrder(this.objects.bytes, at - OBJECT_ROW_SIZE, at);
    this.row = row;
    return this.settle();
  }

  /** Reads what a merge needs of the row; false where its pack is left out. */
  settle(): boolean {
    const { bytes } = this.objects;
    const at = this.objects.at(this.row);
    const frame = getU32(bytes, at + 36);
    if (frame >= this.frameCount) this.refuse(`row ${this.row} has a frame`);
    this.frame = this.frameMap[frame];
    this.prefix = idPrefix(bytes, at);
    return this.frame !== FRAME_DROPPED;
  }

  /** Refuses the table whose rows these are. */
  refuse(need: string): never {
    throw new IndexSyntaxError(
      `Cannot merge ${this.#file?.name ?? "pack"} as ${need}: found none`,
      0,
      { tableName: this.#file?.name },
    );
  }

  *#loadObjects(): PageSteps<void> {
    const { bytes, end, rowSize } = this.objects;
    const follows = end === this.row && end > this.objects.first;
    const last = follows
      ? bytes.slice(
        this.objects.at(end - 1),
        this.objects.at(end - 1) + rowSize,
      )
      : undefined;
    yield* this.load(this.objects, this.row);
    const start = this.objects.at(this.row);
    if (last !== undefined && compareKeys(last, 0, bytes, start) > 0) {
      this.refuse("its objects ascend");
    }
  }

  #checkOrder(bytes: Uint8Array, before: number, at: number): void {
    if (compareKeys(bytes, before, bytes, at) > 0) {
      this.refuse("its objects ascend");
    }
  }
}

/** Refuses a page that is not 4096 bytes with their CRC. */
export function checkIndexPage(
  bytes: Uint8Array,
  name: string,
  offset: number,
): void {
  if (bytes.length !== INDEX_PAGE_SIZE) {
    throw new IndexSyntaxError(
      `Cannot read index page as it needs ${INDEX_PAGE_SIZE} bytes at ${offset} of ${name}: found ${bytes.length}`,
      offset,
      { tableName: name },
    );
  }
  const crc = crc32(bytes.subarray(0, INDEX_PAGE_SIZE - 4));
  const wanted = getU32(bytes, INDEX_PAGE_SIZE - 4);
  if (crc === wanted) return;
  throw new IndexSyntaxError(
    `Cannot read index page as its CRC at ${offset} of ${name} is ${wanted}: found ${crc}`,
    offset,
    { tableName: name },
  );
}
