import { displayPath } from "@snap/manifest/path";
import { isZeros } from "@snap/pack/recipe-writer";
import { ArchiveSyntaxError } from "../errors.ts";
import { ArchiveBytes } from "../archive_bytes.ts";
import {
  BLOCK_SIZE,
  isZeroBlock,
  readHeader,
  type TarHeader,
} from "./header.ts";
import {
  checkGlobals,
  type PaxRecords,
  readPax,
  readPaxNumber,
  readPaxTime,
} from "./pax.ts";
import {
  checkSparseMap,
  parseSparseMap,
  readOldSparse,
  readSparseBlocks,
  type SparseMap,
} from "./sparse.ts";

/** Most bytes of the records before one entry. */
const PAX_SIZE_MAX = 32 * 1024 * 1024;
/** Most bytes of a name. */
const NAME_SIZE_MAX = 1024 * 1024;
/** Content is handed on in pieces of at most this size. */
const PIECE_SIZE = 1024 * 1024;

/** Types without content, whatever size their header tells. */
const EMPTY_TYPES = "123456";
/** Types of entries that are read; those of files and directories of old programs, too. */
const KNOWN_TYPES = "01234567SD";

/** One entry of an archive. */
export interface TarEntry {
  /** Its path, as the archive has it. */
  readonly path: Uint8Array;
  /** The letter of its type: `0` to `6`. */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly userName: Uint8Array;
  readonly groupName: Uint8Array;
  readonly mtimeSec: number;
  readonly mtimeNs: number;
  /** Size of its content, holes counted. */
  readonly size: number;
  /** Where its data lies if it has holes. */
  readonly sparse: SparseMap | undefined;
  /** The target of a link. */
  readonly linkPath: Uint8Array;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** All pax records that hold for it. */
  readonly records: PaxRecords;
  /** Where its header is in the archive. */
  readonly offset: number;
  /** Where its data is in the archive. */
  readonly dataOffset: number;
}

/** Takes the content of an entry. */
export interface TarContentSink {
  /** Takes bytes, which change afterwards. */
  write(bytes: Uint8Array): Promise<void>;
  /** Takes zeros. */
  writeZeros(size: number): Promise<void>;
}

/** What stands before the header of an entry. */
interface Preface {
  readonly records: PaxRecords;
  /** The map of GNU.sparse 0.0, as its records come. */
  readonly runs: number[];
  byteCount: number;
  name?: Uint8Array;
  linkName?: Uint8Array;
}

/**
 * Reads an archive entry by entry: ustar, pax, and the formats of GNU tar. It
 * holds one entry in memory, without its content.
 */
export class TarReader {
  readonly #bytes: ArchiveBytes;
  readonly #globals: PaxRecords = new Map();
  #entry: TarEntry | undefined;
  /** Bytes of the entry's content that were not read. */
  #left = 0;
  #padding = 0;

  /**
   * Reads nothing yet.
   *
   * @param pieces The plain archive.
   */
  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#bytes = new ArchiveBytes(pieces);
  }

  /**
   * Goes on to the next entry; what was not read of the one before is passed.
   *
   * @returns The entry; `undefined` at the end of the archive, all of which was
   * read then.
   * @throws {ArchiveSyntaxError} If the archive is damaged, or ends too early.
   */
  async next(): Promise<TarEntry | undefined> {
    await this.#skipContent();
    const preface: Preface = { records: new Map(), runs: [], byteCount: 0 };
    for (;;) {
      const bytes = this.#bytes;
      const block = bytes.tryTake(BLOCK_SIZE) ?? await bytes.take(BLOCK_SIZE);
      const offset = bytes.offset - BLOCK_SIZE;
      if (isZeroBlock(block)) {
        if (preface.byteCount > 0) throw endsEarly(offset);
        await this.#finish();
        return undefined;
      }
      const header = readHeader(block, offset);
      if (await this.#readPreface(header, preface)) continue;
      this.#checkType(header, offset);
      // A later look at the block is no longer possible: its bytes change.
      const old = header.type === "S" ? block.slice() : undefined;
      this.#entry = await this.#open(header, { preface, offset, old });
      return this.#entry;
    }
  }

  /** Reads all content of the entry at hand. */
  async read(sink: TarContentSink): Promise<void> {
    const entry = this.#entry!;
    if (entry.sparse === undefined) {
      await this.#pass(this.#left, sink);
      return;
    }
    const { runs, size } = entry.sparse;
    let end = 0;
    for (let i = 0; i < runs.length; i += 2) {
      if (runs[i] > end) await sink.writeZeros(runs[i] - end);
      await this.#pass(runs[i + 1], sink);
      end = runs[i] + runs[i + 1];
    }
    if (size > end) await sink.writeZeros(size - end);
  }

  async #pass(size: number, sink: TarContentSink): Promise<void> {
    for (let left = size; left > 0;) {
      const piece = await this.#bytes.some(Math.min(left, PIECE_SIZE));
      if (piece.length === 0) await this.#bytes.take(1, this.#what);
      left -= piece.length;
      this.#left -= piece.length;
      await sink.write(piece);
    }
  }

  readonly #what = (): string => displayPath(this.#entry!.path);

  async #skipContent(): Promise<void> {
    if (this.#entry === undefined) return;
    const size = this.#left + this.#padding;
    if (size > 0 && this.#bytes.tryTake(size) === undefined) {
      await this.#bytes.skip(size, this.#what);
    }
    this.#left = this.#padding = 0;
    this.#entry = undefined;
  }

  /** Reads what stands before an entry; tells whether it was that. */
  async #readPreface(header: TarHeader, preface: Preface): Promise<boolean> {
    const { type } = header;
    if (type === "x" || type === "X" || type === "g") {
      const offset = this.#bytes.offset;
      const bytes = await this.#takeBody(header, PAX_SIZE_MAX, preface);
      const to = type === "g" ? this.#globals : preface.records;
      readPax(bytes, offset, (keyword, value) => {
        if (type !== "g") addRun(preface.runs, keyword, value, offset);
        // A value of nothing takes back what was said before.
        if (value.length === 0 && type === "g") to.delete(keyword);
        else to.set(keyword, value.slice());
      });
      if (type === "g") checkGlobals(this.#globals, offset);
      return true;
    }
    if (type !== "L" && type !== "K") return type === "V";
    const bytes = await this.#takeBody(header, NAME_SIZE_MAX, preface);
    const end = bytes.indexOf(0);
    const name = bytes.slice(0, end < 0 ? bytes.length : end);
    if (type === "L") preface.name = name;
    else preface.linkName = name;
    return true;
  }

  async #takeBody(
    { size }: TarHeader,
    sizeMax: number,
    preface: Preface,
  ): Promise<Uint8Array> {
    const { offset } = this.#bytes;
    preface.byteCount += size + BLOCK_SIZE;
    if (!(size >= 0 && size <= sizeMax && preface.byteCount <= PAX_SIZE_MAX)) {
      throw new ArchiveSyntaxError(
        `Cannot read archive as the records before an entry have ${PAX_SIZE_MAX} bytes at most, and a name ${NAME_SIZE_MAX}: found ${preface.byteCount}`,
        offset,
      );
    }
    const bytes = await this.#bytes.take(size + paddingOf(size));
    return bytes.subarray(0, size);
  }

  #checkType({ type, name }: TarHeader, offset: number): void {
    if (KNOWN_TYPES.includes(type)) return;
    const path = displayPath(name);
    throw new ArchiveSyntaxError(
      type === "M"
        ? `Cannot read ${path} as it goes on from another volume`
        : `Cannot read ${path} as its type is none that is known: found ${
          displayPath(Uint8Array.of(type.charCodeAt(0)))
        }`,
      offset,
    );
  }

  async #open(
    header: TarHeader,
    { preface, offset, old }: {
      readonly preface: Preface;
      readonly offset: number;
      readonly old: Uint8Array | undefined;
    },
  ): Promise<TarEntry> {
    const records = this.#globals.size === 0
      ? preface.records
      : new Map([...this.#globals, ...preface.records]);
    for (const [keyword, value] of records) {
      if (value.length === 0) records.delete(keyword);
    }
    const path = records.get("GNU.sparse.name") ?? records.get("path") ??
      preface.name ?? header.name;
    const number = numbersOf(records, path, offset);
    const told = number("size");
    let storedSize = told ?? header.size;
    const isEmpty = EMPTY_TYPES.includes(header.type) &&
      !(header.type === "1" && told !== undefined);
    if (isEmpty) storedSize = 0;
    if (storedSize < 0) {
      throw new ArchiveSyntaxError(
        `Cannot read ${displayPath(path)} as its size is below 0`,
        offset,
      );
    }
    this.#padding = paddingOf(storedSize);
    const type = plainType(header.type, path);
    const sparse = await this.#sparse(records, { preface, old, storedSize });
    if (sparse !== undefined) {
      storedSize -= sparse.mapSize;
      checkSparseMap(sparse, storedSize, offset);
    }
    this.#left = storedSize;
    const [mtimeSec, mtimeNs] = timeOf(records, path, offset) ??
      [header.mtime, 0];
    return {
      ...header,
      ...{ path, type, offset, records, sparse, mtimeSec, mtimeNs },
      size: type !== "0" ? 0 : sparse?.size ?? storedSize,
      dataOffset: this.#bytes.offset,
      uid: number("uid") ?? header.uid,
      gid: number("gid") ?? header.gid,
      userName: records.get("uname") ?? header.userName,
      groupName: records.get("gname") ?? header.groupName,
      deviceMajor: number("SCHILY.devmajor") ?? header.deviceMajor,
      deviceMinor: number("SCHILY.devminor") ?? header.deviceMinor,
      linkPath: records.get("linkpath") ?? preface.linkName ?? header.linkName,
    };
  }

  /** Finds where the data of a file with holes lies, in any of the four ways. */
  async #sparse(
    records: PaxRecords,
    { preface, old, storedSize }: {
      readonly preface: Preface;
      readonly old: Uint8Array | undefined;
      readonly storedSize: number;
    },
  ): Promise<SparseMap & { readonly mapSize: number } | undefined> {
    const bytes = this.#bytes;
    if (old !== undefined) {
      return { ...await readOldSparse(old, bytes), mapSize: 0 };
    }
    const number = numbersOf(records, undefined, bytes.offset);
    const size = number("GNU.sparse.realsize") ?? number("GNU.sparse.size");
    if (size === undefined) return undefined;
    if (number("GNU.sparse.major") === 1) {
      const { runs, byteCount } = await readSparseBlocks(bytes);
      if (byteCount > storedSize) checkSparseMap({ size, runs }, -1, 0);
      return { size, runs, mapSize: byteCount };
    }
    const map = records.get("GNU.sparse.map");
    const runs = map === undefined
      ? preface.runs
      : parseSparseMap(map, bytes.offset);
    if (runs.length % 2 !== 0) checkSparseMap({ size, runs }, -1, bytes.offset);
    return { size, runs, mapSize: 0 };
  }

  /** Reads the archive to its end, so that all of it is checked: nothing but zeros is left. */
  async #finish(): Promise<void> {
    for (;;) {
      const { offset } = this.#bytes;
      const piece = await this.#bytes.some(PIECE_SIZE);
      if (piece.length === 0) return;
      if (isZeros(piece)) continue;
      const at = piece.findIndex((byte) => byte !== 0);
      throw new ArchiveSyntaxError(
        "Cannot read archive as something stands behind its end",
        offset + at,
      );
    }
  }
}

function addRun(
  runs: number[],
  keyword: string,
  value: Uint8Array,
  offset: number,
): void {
  if (keyword !== "GNU.sparse.offset" && keyword !== "GNU.sparse.numbytes") {
    return;
  }
  const isSize = keyword.endsWith("s");
  const number = readPaxNumber(value);
  if (number === undefined || (runs.length % 2 === 1) !== isSize) {
    checkSparseMap({ size: 0, runs: [-1, -1] }, 0, offset);
  }
  runs.push(number!);
}

function numbersOf(
  records: PaxRecords,
  path: Uint8Array | undefined,
  offset: number,
): (keyword: string) => number | undefined {
  return (keyword) => {
    const value = records.get(keyword);
    if (value === undefined) return undefined;
    const number = readPaxNumber(value);
    if (number !== undefined) return number;
    const what = path === undefined ? "archive" : displayPath(path);
    throw new ArchiveSyntaxError(
      `Cannot read ${what} as its pax record ${keyword} is no number`,
      offset,
    );
  };
}

function timeOf(
  records: PaxRecords,
  path: Uint8Array,
  offset: number,
): readonly [number, number] | undefined {
  const value = records.get("mtime");
  if (value === undefined) return undefined;
  const time = readPaxTime(value);
  if (time !== undefined) return time;
  throw new ArchiveSyntaxError(
    `Cannot read ${displayPath(path)} as its pax record mtime is no time`,
    offset,
  );
}

/** The letter of the type as it is meant: old programs have others for files and directories. */
function plainType(type: string, path: Uint8Array): string {
  if (type === "D") return "5";
  if (type === "0" && path.at(-1) === 0x2f) return "5";
  return type === "7" || type === "S" ? "0" : type;
}

function paddingOf(size: number): number {
  return (BLOCK_SIZE - size % BLOCK_SIZE) % BLOCK_SIZE;
}

function endsEarly(offset: number): ArchiveSyntaxError {
  return new ArchiveSyntaxError(
    "Cannot read archive as it ends before the entry that its last records are for",
    offset,
  );
}
