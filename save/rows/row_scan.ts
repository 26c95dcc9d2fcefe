import { DiskError } from "@snap/disk";
import type { Source, SourceDirectory } from "@snap/disk/source";
import { pathToText } from "@snap/manifest/path";
import type { DeviceTable } from "../walk/device_table.ts";
import { isSameRow } from "./row_form.ts";
import type { RowReader } from "./row_reader.ts";
import type { RowWriter } from "./row_writer.ts";

/** Directories that are noted as the same, at most; others are walked. */
const SAME_MAX = 1 << 16;
/** Cost of an entry, in bytes read. */
const ROW_COST = 1024;
/** A directory of the save before that is passed. */
const GONE = -1;

/** Options of {@linkcode RowScan}. */
export interface RowScanOptions {
  /** The source, opened for the scan alone. */
  readonly source: Source;
  /** Numbers the devices that are met. */
  readonly devices: DeviceTable;
  /** The rows before. */
  readonly reader: RowReader;
  /** Directories that are not the same whatever their rows say. */
  readonly doubts: ReadonlySet<string>;
  /**
   * Makes a writer of new rows, of which those before an offset are the old ones.
   *
   * @param end The offset in the file of old rows.
   */
  openWriter(end: number): RowWriter;
}

/** A directory that is being scanned. */
interface Level {
  readonly directory: SourceDirectory;
  /** For each directory in it 2 * row, plus 1 if it was there before; or `GONE`. */
  readonly children: number[];
  next: number;
  isSame: boolean;
  /** Paths of directories in it that are the same. */
  readonly same: Uint8Array[];
}

/** Compares a source with rows of the save before, in one walk that opens nothing else. */
export class RowScan {
  /** The largest directories that are the same. */
  readonly same: Set<string> = new Set();
  /** New rows, once one differs. */
  writer: RowWriter | undefined;
  readonly #options: RowScanOptions;
  readonly #reader: RowReader;
  readonly #levels: Level[] = [];
  /** Whether the reader has an entry in hand. */
  #hasOld = false;

  /** Looks at nothing yet. */
  constructor(options: RowScanOptions) {
    this.#options = options;
    this.#reader = options.reader;
  }

  /** Scans. Yields the cost of each step. */
  *steps(): Generator<number> {
    const { source } = this.#options;
    const seen = noticed(source);
    yield* this.#list(source.open(), { wasThere: true, seen });
    for (let level = this.#levels.at(-1); level; level = this.#levels.at(-1)) {
      if (level.next === level.children.length) this.#leave(level);
      else yield* this.#enter(level, level.children[level.next++]);
    }
  }

  *#enter(level: Level, child: number): Generator<number> {
    if (child === GONE) return void this.#reader.skip();
    const { source } = this.#options;
    const wasThere = (child & 1) === 1;
    const seen = noticed(source);
    const directory = level.directory.open(child >>> 1);
    if (!(directory instanceof DiskError)) {
      return yield* this.#list(directory, { wasThere, seen });
    }
    level.isSame = false;
    const at = this.#reader.nextOffset;
    const wasOpened = wasThere && this.#reader.skip();
    if (wasOpened) this.writer ??= this.#options.openWriter(at);
    this.writer?.begin(undefined);
  }

  *#list(
    directory: SourceDirectory,
    { wasThere, seen }: { readonly wasThere: boolean; readonly seen: number },
  ): Generator<number> {
    const level: Level = {
      ...{ directory, children: [], next: 0, same: [] },
      isSame: this.#isSelfSame(directory, wasThere),
    };
    this.#levels.push(level);
    for (let row = 0;;) {
      for (; row < directory.count; row++) this.#visit(level, row);
      yield ROW_COST * (1 + directory.count - directory.first);
      if (directory.isListed) break;
      directory.more();
    }
    while (this.#hasOld) this.#passOld(level);
    this.writer?.end();
    const { doubts, source } = this.#options;
    if (noticed(source) !== seen || doubts.has(pathToText(directory.path))) {
      level.isSame = false;
    }
  }

  #isSelfSame(directory: SourceDirectory, wasThere: boolean): boolean {
    const reader = this.#reader;
    this.#options.devices.numberOf(directory.self, 0);
    const wasOpened = wasThere && reader.begin();
    const isSame = wasOpened && !reader.isDoubtful &&
      isSameRow(directory.self, 0, reader.words, reader.rowAt);
    if (wasThere && !isSame) this.#differ();
    this.writer?.begin(directory);
    this.#hasOld = wasOpened && reader.next();
    return isSame;
  }

  #visit(level: Level, row: number): void {
    const { directory } = level;
    const { stats, first } = directory;
    this.#options.devices.numberOf(stats, row - first);
    const order = this.#passBefore(level, row);
    const reader = this.#reader;
    const isFound = order === 0;
    const isSame = isFound && !reader.isDoubtful &&
      isSameRow(stats, row - first, reader.words, reader.rowAt);
    if (!isSame) {
      level.isSame = false;
      this.#differ();
    }
    this.writer?.add(directory, row);
    const wasDirectory = isFound && reader.isDirectory;
    if (directory.isDirectory(row)) {
      level.children.push(2 * row + (wasDirectory ? 1 : 0));
    } else if (wasDirectory) level.children.push(GONE);
    if (isFound) this.#hasOld = reader.next();
  }

  /** Passes old entries before a name, and tells how the one in hand compares with it. */
  #passBefore(level: Level, row: number): number {
    while (this.#hasOld) {
      const order = compareNames(this.#reader, level.directory, row);
      if (order >= 0) return order;
      this.#passOld(level);
    }
    return 1;
  }

  #passOld(level: Level): void {
    level.isSame = false;
    this.#differ();
    if (this.#reader.isDirectory) level.children.push(GONE);
    this.#hasOld = this.#reader.next();
  }

  /** Begins to write where the old rows say something else. */
  #differ(): void {
    this.writer ??= this.#options.openWriter(this.#reader.offset);
  }

  #leave(level: Level): void {
    const { directory, isSame, same } = level;
    this.#levels.pop();
    directory.close();
    const above = this.#levels.at(-1);
    if (!isSame) {
      if (above !== undefined) above.isSame = false;
      for (const path of same) this.#note(path);
    } else if (above === undefined) this.#note(directory.path);
    else if (above.same.length < SAME_MAX) above.same.push(directory.path);
  }

  #note(path: Uint8Array): void {
    if (this.same.size < SAME_MAX) this.same.add(pathToText(path));
  }
}

/** A number that differs where an error or a socket was met. */
function noticed(source: Source): number {
  return source.errorCount + source.drops.sockets;
}

/** Compares the old name in hand with that of a row. */
function compareNames(
  { bytes, nameStart, nameEnd }: RowReader,
  directory: SourceDirectory,
  row: number,
): number {
  const { names } = directory;
  const start = directory.nameStart(row);
  const size = directory.ends[row] - start;
  const oldSize = nameEnd - nameStart;
  const common = Math.min(size, oldSize);
  for (let i = 0; i < common; i++) {
    const difference = bytes[nameStart + i] - names[start + i];
    if (difference !== 0) return difference;
  }
  return oldSize - size;
}
